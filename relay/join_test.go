package relay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/relay"
)

// kinds are what a Join may have to do with.
var kinds = map[string]func(testing.TB) (outer, inner net.Conn){
	"tcp":  func(t testing.TB) (net.Conn, net.Conn) { return pair(t, "tcp") },
	"unix": func(t testing.TB) (net.Conn, net.Conn) { return pair(t, "unix") },
	"tls":  secured,
}

// joined joins two connections, and returns the outer ends and the result.
func joined(t testing.TB, a, b string, opts ...relay.Option) (client, server net.Conn, result func() relay.Result) {
	t.Helper()
	client, x := kinds[a](t)
	server, y := kinds[b](t)
	done := make(chan relay.Result, 1)
	go func() { done <- relay.Join(x, y, opts...) }()
	return client, server, func() relay.Result { t.Helper(); return <-done }
}

func each(t *testing.T, test func(t *testing.T, a, b string)) {
	for a := range kinds {
		for b := range kinds {
			t.Run(a+" "+b, func(t *testing.T) { test(t, a, b) })
		}
	}
}

// Much goes both ways at once, in pieces of all sizes, and nothing is lost, changed
// or miscounted.
func TestBytesArrive(t *testing.T) {
	each(t, func(t *testing.T, a, b string) {
		client, server, result := joined(t, a, b)
		send := func(c net.Conn, seed uint64) []byte {
			random := rand.New(rand.NewPCG(seed, 0))
			var all bytes.Buffer
			for range 60 {
				piece := make([]byte, 1+random.IntN(1<<random.IntN(19)))
				for i := range piece {
					piece[i] = byte(random.Uint32())
				}
				all.Write(piece)
				if _, err := c.Write(piece); err != nil {
					t.Error(err)
				}
			}
			if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Error(err)
			}
			return all.Bytes()
		}
		var sent, got, want, back []byte
		var ends sync.WaitGroup
		ends.Go(func() { sent = send(client, 1) })
		ends.Go(func() { want = send(server, 2) })
		ends.Go(func() { back, _ = io.ReadAll(client) })
		got, _ = io.ReadAll(server)
		ends.Wait()
		r := result()
		if !bytes.Equal(got, sent) || !bytes.Equal(back, want) {
			t.Errorf("%d of %d bytes, and %d of %d back, or others", len(got), len(sent), len(back), len(want))
		}
		if r.Sent != int64(len(sent)) || r.Got != int64(len(want)) || r.Err != nil {
			t.Errorf("got %+v, want %d and %d", r, len(sent), len(want))
		}
	})
}

// A client that half-closes gets its answer, and so does a server that does.
func TestHalfClose(t *testing.T) {
	each(t, func(t *testing.T, a, b string) {
		for first, side := range []relay.Side{relay.A, relay.B} {
			client, server, result := joined(t, a, b)
			ends := []net.Conn{client, server}
			asks, answers := ends[first], ends[1-first]
			io.WriteString(asks, "question")
			asks.(interface{ CloseWrite() error }).CloseWrite()
			question, err := io.ReadAll(answers)
			kit.Check(t, err)
			kit.Equal(t, "question", string(question), "question")
			io.WriteString(answers, "answer")
			answers.Close()
			answer, err := io.ReadAll(asks)
			kit.Check(t, err)
			kit.Equal(t, "answer", string(answer), "answer")
			r := result()
			if r.Err != nil || r.First != side {
				t.Errorf("got %+v, want %v first", r, side)
			}
		}
	})
}

// A reset is passed on as one, whichever side it comes from, and also in the
// middle of much.
func TestResetIsPassedOn(t *testing.T) {
	for _, much := range []bool{false, true} {
		for first, side := range []relay.Side{relay.A, relay.B} {
			client, server, result := joined(t, "tcp", "tcp")
			ends := []net.Conn{client, server}
			broken, other := ends[first], ends[1-first]
			if much {
				if _, err := broken.Write(make([]byte, 1<<20)); err != nil {
					t.Fatal(err)
				}
			}
			broken.(*net.TCPConn).SetLinger(0)
			broken.Close()
			if _, err := io.Copy(io.Discard, other); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("much %v, %v: got %v, want a reset", much, side, err)
			}
			if r := result(); r.First != side || !errors.Is(r.Err, syscall.ECONNRESET) {
				t.Errorf("much %v: got %+v, want %v first, by a reset", much, r, side)
			}
		}
	}
}

// A server that answers before it has read everything, and closes, is heard.
func TestEarlyAnswer(t *testing.T) {
	client, server, result := joined(t, "tcp", "tcp")
	io.WriteString(client, "begin")
	if _, err := io.ReadFull(server, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	io.WriteString(server, "413 too much")
	server.Close() // everything is read, so it is no reset yet
	go func() {
		for range 100 {
			if _, err := client.Write(make([]byte, 10_000)); err != nil {
				return
			}
		}
	}()
	answer, _ := io.ReadAll(client)
	kit.Equal(t, "answer", string(answer), "413 too much")
	client.Close()
	kit.Equal(t, "first", result().First, relay.B)
}

// What ends a Join by force is a reset, so that nobody takes half for a whole.
func TestCut(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	client, server, result := joined(t, "tcp", "tcp", relay.WithContext(ctx))
	io.WriteString(client, "x")
	io.ReadFull(server, make([]byte, 1))
	why := errors.New("why")
	cancel(why)
	for _, c := range []net.Conn{client, server} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a reset", err)
		}
	}
	if r := result(); !errors.Is(r.Err, why) || r.First != relay.Neither {
		t.Errorf("got %+v", r)
	}
}

// A pipe cannot end one direction alone: its end is the end of both.
func TestNoHalfClose(t *testing.T) {
	a, x := net.Pipe()
	y, b := net.Pipe()
	done := make(chan relay.Result, 1)
	go func() { done <- relay.Join(x, y) }()
	a.Close()
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	if r := <-done; !errors.Is(r.Err, errors.ErrUnsupported) || r.First != relay.A {
		t.Errorf("got %+v", r)
	}
}
