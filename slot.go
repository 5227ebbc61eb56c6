package rover

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/reactivex/rxgo/v2"
)

// The slot line, Callosum's whole protocol: a server greets a connection with
// the number of its lowest free slot in decimal digits, then CR LF.
//
//	slot-line = 1*19DIGIT CR LF

const (
	maxDigits  = 19 // as many as the largest int has
	safeDigits = 9  // as many as fit in every int, of 32 bits too
	maxLine    = 32 // what is read at the most to find the line; it has maxDigits+2 bytes
)

// ErrProtocol is what a *ProtocolError wraps: the peer does not speak the
// protocol.
var ErrProtocol = errors.New("rover: not a slot line")

// A ProtocolError says that a server answered with something else than a slot
// line. Line is what came, at most 32 bytes. Err wraps ErrProtocol and tells
// the first wrong byte.
type ProtocolError struct {
	ID     string
	Server Server
	Line   []byte
	Err    error
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("rover: server %q (%v) answered %q: %s", e.ID, e.Server, e.Line, plain(e.Err))
}

func (e *ProtocolError) Unwrap() error { return e.Err }

// ParseSlot returns the number in a slot line: "13\r\n" is 13, and so is
// "013\r\n". The line must be whole, with nothing behind it: 1 to 19 digits
// that make an int, then CR LF. The error wraps ErrProtocol and tells the
// first wrong byte.
func ParseSlot(line []byte) (int, error) {
	slot, n := 0, len(line)-len("\r\n")
	if n < 1 || n > safeDigits || line[n] != '\r' || line[n+1] != '\n' {
		return parseSlowly(line)
	}
	for _, c := range line[:n] {
		if c-'0' > 9 {
			return parseSlowly(line)
		}
		slot = slot*10 + int(c-'0')
	}
	return slot, nil
}

// parseSlowly takes twice as long, reads all lines and knows what is wrong.
func parseSlowly(line []byte) (int, error) {
	slot, size, err := scanSlot(line)
	switch {
	case err != nil:
		return 0, err
	case size == 0:
		return 0, fmt.Errorf("%w: %q ends early, want digits, then CR LF", ErrProtocol, line)
	case size < len(line):
		return 0, fmt.Errorf("%w: %d bytes behind the line's end", ErrProtocol, len(line)-size)
	}
	return slot, nil
}

// scanSlot looks for a slot line at the beginning of b. A size of 0 without an
// error means that all is well so far and more is needed.
func scanSlot(b []byte) (slot, size int, err error) {
	for i, c := range b {
		if digit := c - '0'; digit <= 9 {
			if i >= safeDigits && (i == maxDigits || slot > (math.MaxInt-int(digit))/10) {
				return 0, 0, fmt.Errorf("%w: %q… is more than an int holds", ErrProtocol, b[:i+1])
			}
			slot = slot*10 + int(digit)
			continue
		}
		switch {
		case c != '\r' || i == 0:
			return 0, 0, unexpected(b, i, "a digit")
		case i+1 == len(b):
			return 0, 0, nil
		case b[i+1] != '\n':
			return 0, 0, unexpected(b, i+1, "LF")
		}
		return slot, i + 2, nil
	}
	return 0, 0, nil
}

func unexpected(b []byte, at int, want string) error {
	if want == "a digit" && at > 0 {
		want = "a digit or CR LF"
	}
	return fmt.Errorf("%w: byte %d is %q, want %s", ErrProtocol, at+1, b[at:at+1], want)
}

// readSlot reads a slot line into buf, which holds maxLine bytes, with as few
// reads as there are pieces. It never waits once the line is whole or wrong,
// and never reads more than buf holds. n is how many bytes came; those behind
// size belong to what follows the line.
func readSlot(r io.Reader, buf []byte) (slot, size, n int, err error) {
	for idle := 0; ; {
		m, failed := r.Read(buf[n:])
		n += m
		slot, size, err = scanSlot(buf[:n])
		if err != nil || size > 0 {
			return slot, size, n, err
		}
		switch {
		case failed == io.EOF:
			return 0, 0, n, io.ErrUnexpectedEOF
		case failed != nil:
			return 0, 0, n, failed
		case m > 0:
			idle = 0
		default: // a reader should not do that; one that does must not spin us
			if idle++; idle == 100 {
				return 0, 0, n, io.ErrNoProgress
			}
		}
	}
}

// SlotBelow is true to a *Connection whose slot is lower than n, and to
// nothing else: for Filter, Accept and Partition.
func SlotBelow(n int) rxgo.Predicate {
	return func(item any) bool {
		c, ok := item.(*Connection)
		return ok && c.Slot < n
	}
}
