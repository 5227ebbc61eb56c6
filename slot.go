package rover

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// The slot line, Callosum's whole protocol: a server begins each connection with
// the number of its lowest free slot in decimal digits, then CR LF.
//
//	slot-line = 1*19DIGIT CR LF

const (
	maxDigits  = 19 // as many as the largest int has
	safeDigits = 9  // as many as fit in every int, of 32 bits too
	maxLine    = 32 // bytes of an answer that are shown; a line has maxDigits+2 at the most
)

// ErrProtocol is what a *ProtocolError wraps: the peer does not speak the
// protocol.
var ErrProtocol = errors.New("rover: not a slot line")

// ParseSlot returns the number in a slot line: "13\r\n" is 13, and so is
// "013\r\n". The line must be whole, with nothing behind it: 1 to 19 digits
// that make an int, then CR LF. The error wraps ErrProtocol and names the
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

// readSlot reads a slot line into buf, which holds maxLine bytes, and not a byte
// of what follows it: the socket stays as it is, whatever came with the line.
// It asks for no more than the line still lacks at the least, which makes one
// read for one digit and two for two or three. n is how many bytes came.
func readSlot(r io.Reader, buf []byte) (slot, n int, err error) {
	for idle := 0; ; {
		m, failed := r.Read(buf[n : n+lacking(buf[:n])])
		n += m
		slot, size, err := scanSlot(buf[:n])
		if err != nil || size > 0 {
			return slot, n, err
		}
		switch {
		case failed == io.EOF:
			return 0, n, io.ErrUnexpectedEOF
		case failed != nil:
			return 0, n, failed
		case m > 0:
			idle = 0
		default: // a reader should not do that; one that does must not spin us
			if idle++; idle == 100 {
				return 0, n, io.ErrNoProgress
			}
		}
	}
}

// lacking is how many bytes a line that began well lacks at the least.
func lacking(begun []byte) int {
	switch n := len(begun); {
	case n == 0:
		return len("0\r\n")
	case begun[n-1] == '\r':
		return len("\n")
	}
	return len("\r\n")
}
