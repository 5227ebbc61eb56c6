package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// By hand: what is unused or idle ends at once, what is busy when it is
// answered, the rest is cut.
func TestShutdownOfBareConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 4)
		f.watch()
		idle, answered, owing := f.pairs[1], f.pairs[2], f.pairs[3]
		idle.ask(true)
		answered.ask(false)
		owing.ask(false)
		time.Sleep(5 * time.Second)
		f.began = time.Now()
		go func() {
			time.Sleep(2 * time.Second)
			answered.conn.Write([]byte("!"))
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := f.Shutdown(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "server: shutdown cut 1 connections: context deadline exceeded" {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		for i, want := range []time.Duration{0, 0, 3 * time.Second, 10 * time.Second} {
			if at := f.pairs[i].ended; at < want || at > want+50*time.Millisecond {
				t.Errorf("connection %d ended at %v, want %v", i, at, want)
			}
		}
		if _, err := f.Accept(); err != net.ErrClosed {
			t.Errorf("Accept: %v", err)
		}
		kit.Equal(t, "open", f.Stats().Open, 0)
	})
}

func TestShutdownInPeaceIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3)
		f.watch()
		kit.Check(t, f.Shutdown(t.Context()))
		kit.Equal(t, "time", time.Since(f.began), 0)
	})
}

// With a stop function nothing is guessed: what is quiet may be a stream.
func TestShutdownDoesNotGuessForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		f.watch()
		stream, idle := f.pairs[0], f.pairs[1]
		stream.ask(true)
		idle.ask(true)
		idle.conn.SetIdle(true)
		time.Sleep(time.Minute)
		f.began = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		stop := func(ctx context.Context) error {
			<-ctx.Done()
			return f.Close()
		}
		if err := f.Shutdown(ctx, stop); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		kit.Equal(t, "the stream is cut after", stream.ended, 10*time.Second)
		kit.Equal(t, "the idle one ends when the stop function closes nothing for", idle.ended, time.Second)
	})
}

// A server that speaks alone is used: closing the listener does not cut it.
func TestAPushIsNotUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		f.watch()
		for range 2 {
			kit.Must(f.pairs[0].conn.Write([]byte("news")))(t)
		}
		kit.Must(f.pairs[1].conn.Write([]byte("a banner")))(t)
		kit.Check(t, f.Close())
		time.Sleep(time.Second)
		synctest.Wait()
		kit.Equal(t, "news", f.pairs[0].ended, 0)
		kit.Equal(t, "unused", f.pairs[1].conn.Unused(), true)
		kit.Equal(t, "open", f.Stats().Open, 1)
	})
}

// A stop function that hangs does not hold Shutdown for ever, and one that fails
// is heard.
func TestShutdownWithStopFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		f.watch()
		release := make(chan struct{})
		defer close(release)
		broken := errors.New("broken")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := f.Shutdown(ctx,
			func(context.Context) error { <-release; return nil }, // closes nothing
			func(context.Context) error { return broken })
		if !errors.Is(err, broken) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		kit.Equal(t, "time", time.Since(f.began), 4*time.Second)
	})
}

// http.Server: Serve ends as it should, a request under way is answered, whether
// it says something meanwhile or not, and pools do not hold anybody up.
func TestShutdownOfAnHTTPServer(t *testing.T) {
	for name, opts := range map[string][]server.Option{"": nil, "client first": {server.WithClientFirst()}} {
		t.Run(name, func(t *testing.T) {
			var slots server.Slots
			l := listen(t, append(opts, server.WithSlots(&slots))...)
			begun, finish := make(chan struct{}), make(chan struct{})
			s := &http.Server{ConnState: l.ConnState, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "begun ")
				w.(http.Flusher).Flush()
				close(begun)
				<-finish
				io.WriteString(w, "finished")
			})}
			served := make(chan error, 1)
			go func() { served <- s.Serve(l) }()
			var unused []net.Conn
			for range 5 {
				c := dial(t, l)
				slotOf(t, c)
				unused = append(unused, c)
			}
			client := dial(t, l)
			slotOf(t, client)
			kit.Must(io.WriteString(client, "GET / HTTP/1.0\r\n\r\n"))(t)
			<-begun

			down := make(chan error, 1)
			start := time.Now()
			go func() { down <- l.Shutdown(context.Background(), s.Shutdown) }()
			for _, c := range unused {
				if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("an unused one reads %d, %v", n, err)
				}
			}
			kit.Equal(t, "in use while one works", slots.InUse(), 1)
			close(finish)
			answer := string(kit.Must(io.ReadAll(client))(t))
			if want := "begun finished"; answer[max(0, len(answer)-len(want)):] != want {
				t.Errorf("the answer is cut: %q", answer)
			}
			kit.Check(t, <-down)
			kit.Equal(t, "Serve", <-served, http.ErrServerClosed)
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
