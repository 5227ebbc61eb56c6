//go:build !plan9

package faulty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/faulty"
)

// wrongByte is the plain client's protocol error: all that came, up to the byte that was wrong.
type wrongByte string

func (w wrongByte) Error() string { return fmt.Sprintf("wrong byte at the end of %q", string(w)) }

// ask is one attempt by the plainest client there is: it reads byte by byte, so it sees exactly
// what the server does.
func ask(s *faulty.Server, patience time.Duration) (slot int, conn net.Conn, err error) {
	end := time.Now().Add(patience)
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = panicked{p}
		}
	}()
	address := net.JoinHostPort(s.Host(), strconv.Itoa(s.Port()))
	conn, err = s.Dialer().DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, nil, err
	}
	slot, err = readSlot(conn, end)
	if err != nil {
		_ = conn.Close()
		return 0, nil, err
	}
	return slot, conn, conn.SetReadDeadline(time.Time{})
}

type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprint(p.value) }

func readSlot(conn net.Conn, end time.Time) (int, error) {
	if err := conn.SetReadDeadline(end); err != nil {
		return 0, err
	}
	var line []byte
	for {
		var next [1]byte
		if _, err := io.ReadFull(conn, next[:]); err == io.EOF {
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
		line = append(line, next[0])
		digits := bytes.TrimRight(line, "\r\n")
		slot, err := strconv.ParseUint(string(digits), 10, 64)
		switch rest := string(line[len(digits):]); {
		case err != nil, slot > math.MaxInt, len(digits) > 19, rest != "" && rest != "\r" && rest != "\r\n":
			return 0, wrongByte(line)
		case rest == "\r\n":
			return int(slot), nil
		}
	}
}

// check plays the plain client against s and holds it to the case's outcomes.
func check(t *testing.T, c faulty.Case, s *faulty.Server, patience time.Duration) {
	t.Helper()
	start := time.Now()
	slot, conn, err := ask(s, patience)
	took := time.Since(start)
	if conn != nil {
		defer conn.Close()
	}
	var faults []error
	for _, want := range c.Want {
		fault := compare(want, slot, conn, err)
		if fault == nil {
			if c.Virtual && took != time.Duration(want.After*float64(patience)) {
				t.Errorf("%s: took %v", want, took)
			}
			return
		}
		faults = append(faults, fault)
	}
	t.Error(errors.Join(faults...))
}

// compare says what is wrong with what the client saw, or nothing.
func compare(want faulty.Outcome, slot int, conn net.Conn, err error) error {
	var (
		wrong  wrongByte
		panics panicked
	)
	switch {
	case (want.Stream == faulty.Connections) != (err == nil):
	case err == nil && slot != want.Slot:
	case err == nil:
		return want.CheckKept(conn)
	case errors.As(err, &panics) != (want.Class == faulty.Panic):
	case errors.As(err, &wrong) != (want.Class == faulty.Protocol):
	case !strings.HasPrefix(string(wrong), want.Wrong):
	default:
		return want.CheckCause(err)
	}
	return fmt.Errorf("want %s; got slot %d, error %v", want, slot, err)
}
