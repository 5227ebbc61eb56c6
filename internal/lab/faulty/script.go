//go:build !plan9

package faulty

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Script is what a server does to a connection, step by step. After the last step the server
// waits for the client to leave.
type Script []Step

// String is the script in words.
func (s Script) String() string {
	if len(s) == 0 {
		return "says nothing"
	}
	words := make([]string, 0, len(s))
	for _, step := range s {
		if step.words != "" {
			words = append(words, step.words)
		}
	}
	return strings.Join(words, ", ")
}

const forgets = "accepts and forgets"

// Step is one thing that a server does.
type Step struct {
	words string
	do    func(*peer) error
}

// peer is the server's end of one connection.
type peer struct {
	wire
	server *Server
}

// wire is what a script needs of a connection.
type wire interface {
	net.Conn
	CloseWrite() error
	Reset() error // closes at once; the other side sees a reset
}

// errOver ends a script whose connection is over; either side may have ended it.
var errOver = errors.New("faulty: the connection is over")

// Send writes text in one piece.
func Send(text string) Step {
	return Step{"sends " + quote(text), func(p *peer) error { return p.send(text) }}
}

// Pieces writes each text as a segment of its own.
func Pieces(texts ...string) Step {
	words := make([]string, len(texts))
	for i, text := range texts {
		words[i] = quote(text)
	}
	return Step{"sends " + strings.Join(words, ", then "), func(p *peer) error {
		for i, text := range texts {
			if i > 0 && !p.server.wait(p.server.beat) {
				return errOver
			}
			if err := p.send(text); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Endless writes text over and over, until the client leaves.
func Endless(text string) Step {
	return Step{"sends " + quote(text) + " without end", func(p *peer) error {
		block := strings.Repeat(text, 1+512/len(text))
		for {
			if err := p.send(block); err != nil {
				return err
			}
		}
	}}
}

// Wait lets a part of the client's patience go by, unless the client leaves.
func Wait(part float64) Step {
	return Step{fmt.Sprintf("waits %g T", part), func(p *peer) error {
		end := time.Now().Add(time.Duration(part * float64(p.server.patience)))
		if err := p.SetReadDeadline(end); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, readOnly{p})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return errOver
		}
		return p.SetReadDeadline(time.Time{})
	}}
}

// Hear waits for one byte of the client.
func Hear() Step {
	return Step{"waits until the client, who has kept the socket, writes", func(p *peer) error {
		_, err := p.Read(make([]byte, 1))
		return err
	}}
}

// HalfClose ends the stream to the client and goes on reading.
func HalfClose() Step {
	return Step{"half-closes", func(p *peer) error { return p.CloseWrite() }}
}

// Close ends the connection with an end of stream.
func Close() Step {
	return Step{"closes", func(p *peer) error { return errors.Join(errOver, p.wire.Close()) }}
}

// Reset ends the connection with a reset.
func Reset() Step {
	return Step{"resets", func(p *peer) error { return errors.Join(errOver, p.wire.Reset()) }}
}

// Forget keeps the connection and never looks at it again, not even when the client has left.
func Forget() Step {
	return Step{forgets, func(p *peer) error {
		<-p.server.over
		return errOver
	}}
}

func (p *peer) send(text string) error {
	n, err := p.Write([]byte(text))
	p.server.sent.Add(int64(n))
	return err
}

// quote shows text as a Go string in backquotes, long ones by their beginning.
func quote(text string) string {
	const most = 24
	if len(text) > most {
		return fmt.Sprintf("`%s…` (%d bytes)", unquoted(text[:most]), len(text))
	}
	return "`" + unquoted(text) + "`"
}

func unquoted(text string) string {
	q := strconv.QuoteToASCII(text)
	return q[1 : len(q)-1]
}
