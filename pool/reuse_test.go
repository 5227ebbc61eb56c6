package pool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// A lineServer answers each line with "answer to" it; "slow", and the second part
// of "long", when its borrower has gone.
type lineServer struct {
	gone chan struct{} // the borrower has
	sent chan struct{} // what he has not waited for is on its way
}

func (s *lineServer) serve(conn net.Conn) {
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch line := lines.Text(); line {
		case "slow":
			<-s.gone
			fmt.Fprintln(conn, "answer to slow")
		case "long":
			fmt.Fprintln(conn, "answer to long, first part")
			<-s.gone
			fmt.Fprintln(conn, "answer to long, second part")
			close(s.sent)
		case "two lines":
			fmt.Fprintln(conn, "answer to two\nlines")
		default:
			fmt.Fprintln(conn, "answer to", line)
		}
	}
}

// ask asks, and returns the first line of the answer.
func ask(c net.Conn, question string) (string, error) {
	if _, err := fmt.Fprintln(c, question); err != nil {
		return "", err
	}
	line, err := readLine(c)
	return line, err
}

// readLine reads a line, byte by byte, and no further.
func readLine(c net.Conn) (string, error) {
	var line strings.Builder
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(c, b); err != nil || b[0] == '\n' {
			return line.String(), err
		}
		line.Write(b)
	}
}

// Whatever a borrower does, with Release deferred as everyone writes it, the
// next one gets an answer to his own question. What is surely clean is lent to
// him, the rest is closed, and counted by why.
func TestNobodyReadsWhatWasMeantForAnother(t *testing.T) {
	borrowers := map[string]struct {
		borrow func(*pool.Conn)
		why    pool.Cause // 0: the connection is lent again
	}{
		"asks":    {func(c *pool.Conn) { ask(c, "x") }, 0},
		"nothing": {func(c *pool.Conn) {}, 0},
		"looks whether something has come": {func(c *pool.Conn) {
			c.SetReadDeadline(time.Unix(1, 0))
			readOne(c)
		}, 0},
		"sets a deadline that passes": {func(c *pool.Conn) { c.SetDeadline(time.Unix(1, 0)) }, 0},
		"asks twice": {func(c *pool.Conn) {
			ask(c, "x")
			ask(c, "y")
		}, 0},
		"a deadline passes": {func(c *pool.Conn) {
			c.SetDeadline(time.Now().Add(20 * time.Millisecond))
			ask(c, "slow")
		}, pool.Late},
		"a deadline passes that was lengthened too late": {func(c *pool.Conn) {
			c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := ask(c, "slow"); err != nil {
				c.SetReadDeadline(time.Time{})
			}
		}, pool.Late},
		"a context ends": {func(c *pool.Conn) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
			ask(c, "slow")
		}, pool.Late},
		"panics between question and answer": {func(c *pool.Conn) {
			fmt.Fprintln(c, "slow")
			panic("borrower")
		}, pool.Unanswered},
		"asks two things and reads one answer": {func(c *pool.Conn) {
			fmt.Fprintln(c, "x")
			fmt.Fprintln(c, "slow")
			c.Read(make([]byte, len("answer to x\n")))
		}, pool.Unanswered},
		"reads half of the answer": {func(c *pool.Conn) { ask(c, "two lines") }, pool.Unread},
		"reads one byte of the answer": {func(c *pool.Conn) {
			fmt.Fprintln(c, "x")
			c.Read(make([]byte, 1))
		}, pool.Unread},
		"reads the first part of the answer": {func(c *pool.Conn) { ask(c, "long") }, pool.Unread},
		"takes the connection itself":        {func(c *pool.Conn) { fmt.Fprintln(c.NetConn(), "slow") }, pool.Unwrapped},
		"ends its half":                      {func(c *pool.Conn) { c.CloseWrite() }, pool.HalfClosed},
	}
	for wireName, w := range wires {
		for name, b := range borrowers {
			t.Run(wireName+" "+name, func(t *testing.T) {
				t.Parallel()
				p := newPool(t, 1)
				s := &lineServer{make(chan struct{}), make(chan struct{})}
				bring := func() {
					client, server := w(t)
					go s.serve(server)
					if !p.Offer(rover.NewConnection("a", somewhere, 0, client)) {
						t.Fatal("declined")
					}
				}
				bring()
				func() {
					defer func() { recover() }()
					c := get(t, p)
					defer c.Release()
					b.borrow(c)
				}()
				close(s.gone)
				if name == "reads the first part of the answer" {
					<-s.sent // the rest comes to an idle one
				}
				why := b.why
				if why == pool.HalfClosed && (wireName == "pipe" || wireName == "tcp that is not known to be") {
					why = 0 // they cannot
				}
				ctx, cancel := context.WithTimeout(context.Background(), 40*time.Millisecond)
				defer cancel()
				c, err := p.Get(ctx)
				if why != 0 {
					if err == nil {
						t.Fatal("it was lent again")
					}
					s := p.Stats()
					kit.Equal(t, "closed", s.Closed, 1)
					kit.Equal(t, "closed for it", s.Causes[why], 1)
					bring()
					c, err = p.Get(context.Background())
				}
				kit.Check(t, err)
				defer c.Release()
				got, err := ask(c, "what is mine")
				kit.Check(t, err)
				kit.Equal(t, "answer", got, "answer to what is mine")
			})
		}
	}
}

// One that ended between two loans is lost, not unclean.
func TestAnEndIsNoRest(t *testing.T) {
	for name, w := range wires {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			client, server := w(t)
			served := make(chan struct{})
			go func() { io.CopyN(server, server, 1); server.Close(); close(served) }()
			p.Offer(rover.NewConnection("a", somewhere, 0, client))
			next := watch(t, p)
			c := get(t, p)
			kit.Check(t, say(c, "x"))
			kit.Equal(t, "heard", hear(t, c, 1), "x")
			<-served
			c.Release()
			for {
				if change := next(); change.Kind == pool.Lost {
					break
				} else if change.Kind == pool.Closed {
					t.Fatalf("closed: %v", change.Cause)
				}
			}
			kit.Equal(t, "causes", len(p.Stats().Causes), 0)
		})
	}
}

func TestWithReuse(t *testing.T) {
	for want, reuse := range map[bool]func(*pool.Conn) bool{
		true: func(c *pool.Conn) bool {
			kit.Equal(t, "clean", c.Clean(), error(pool.Unanswered))
			_, err := c.Write([]byte("y")) // it is his still
			return err == nil
		},
		false: func(c *pool.Conn) bool { return false },
	} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			p := kit.Must(pool.New(pool.WithReuse(reuse)))(t)
			defer p.Close()
			server := keep(t, p, 0, tcp)
			next := watch(t, p)
			c := get(t, p)
			kit.Check(t, say(c, "x"))
			c.Release()
			kit.Equal(t, "clean after the loan", c.Clean(), net.ErrClosed)
			kit.Equal(t, "idle", p.Stats().Idle == 1, want)
			if want {
				kit.Equal(t, "heard", hear(t, server, 2), "xy")
				return
			}
			kit.Equal(t, "unfit", p.Stats().Causes[pool.Unfit], 1)
			expect(t, next, pool.Lent)
			change := next()
			kit.Equal(t, "change", change.Kind, pool.Closed)
			kit.Equal(t, "cause", errors.Is(change.Cause, pool.Unfit), true)
		})
	}
	if _, err := pool.New(pool.WithReuse(nil)); err == nil || err.Error() != "pool: reuse must not be nil" {
		t.Error(err)
	}
}

// A panic in the user's function does not cost a place in the pool.
func TestWithReuseThatPanics(t *testing.T) {
	p := kit.Must(pool.New(pool.WithReuse(func(*pool.Conn) bool { panic("no") })))(t)
	defer p.Close()
	server := keep(t, p, 0, tcp)
	func() {
		defer func() { kit.Equal(t, "panic", recover(), any("no")) }()
		get(t, p).Release()
	}()
	isClosed(t, server)
	kit.Equal(t, "kept and leaving", p.Stats().Kept+p.Stats().Leaving, 0)
}
