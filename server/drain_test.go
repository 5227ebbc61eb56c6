package server_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// A pair is both ends of a connection.
type pair struct {
	client net.Conn
	conn   *server.Conn
	ended  time.Duration // since the fleet began
}

// A fleet is connections of one listener, each with a client that waits for the
// end.
type fleet struct {
	*server.Listener
	inner *pipes
	began time.Time
	pairs []*pair
}

func newFleet(t *testing.T, n int, opts ...server.Option) *fleet {
	t.Helper()
	f := &fleet{inner: newPipes(), began: time.Now()}
	f.Listener = kit.Must(server.NewListener(f.inner, opts...))(t)
	t.Cleanup(func() { f.Close() })
	for range n {
		f.dial(t)
	}
	return f
}

func (f *fleet) dial(t *testing.T) (line int) {
	t.Helper()
	conns := make(chan net.Conn, 1)
	go func() { conns <- kit.Must(f.Accept())(t) }()
	p := &pair{client: f.inner.dial()}
	line = slotOf(t, p.client)
	p.conn = (<-conns).(*server.Conn)
	f.pairs = append(f.pairs, p)
	t.Cleanup(func() { p.client.Close(); p.conn.Close() })
	return line
}

// watch notes when each client sees the end.
func (f *fleet) watch() {
	for _, p := range f.pairs {
		go func() {
			for err := error(nil); err == nil; {
				_, err = p.client.Read(make([]byte, 10))
			}
			p.ended = time.Since(f.began)
		}()
	}
	synctest.Wait()
}

// ask has the client say something, and the server answer if it does.
func (p *pair) ask(answer bool) {
	go p.client.Write([]byte("?"))
	p.conn.Read(make([]byte, 1))
	if answer {
		p.conn.Write([]byte("!"))
	}
}

// Ten connections over 11 s: one a second, those that nobody has used first,
// then the one that is quiet for longest.
func TestDrainIsSpreadAndIdleFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 10)
		f.watch()
		f.pairs[5].ask(true)
		time.Sleep(time.Second)
		f.pairs[2].ask(true)
		time.Sleep(time.Minute)
		f.began = time.Now()

		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Second)
		defer cancel()
		kit.Check(t, f.Drain(ctx))
		synctest.Wait()
		took := map[time.Duration]bool{}
		for i, p := range f.pairs {
			took[p.ended.Round(time.Second)] = true
			switch {
			case i == 5 && p.ended.Round(time.Second) != 9*time.Second, i == 2 && p.ended.Round(time.Second) != 10*time.Second:
				t.Errorf("the used one %d ended at %v", i, p.ended)
			}
		}
		for second := range 10 {
			if !took[time.Duration(second+1)*time.Second] {
				t.Errorf("none ended at %d s", second+1)
			}
		}
	})
}

// Whoever comes reads the mark, and who asks hears that the server drains.
func TestDrainMarksTheLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, server.WithWeight(3))
		select {
		case <-f.Draining():
			t.Fatal("draining at first")
		default:
		}
		f.watch()
		ended := make(chan error)
		go func() { ended <- f.Drain(t.Context()) }()
		<-f.Draining()
		kit.Equal(t, "line", f.dial(t), server.Drain)
		f.pairs[1].client.Close()
		f.pairs[1].conn.Close()
		kit.Check(t, <-ended)
		if took := time.Since(f.began); took != server.DefaultDrain/2 {
			t.Errorf("the only one was closed after %v, want half the default time", took)
		}
		kit.Equal(t, "later", f.dial(t), server.Drain)
		kit.Equal(t, "stats", f.Stats().Draining, true)
	})
}

// What is busy is closed as soon as it is idle, once its turn has come, and
// left open at the end.
func TestDrainWaitsForWhatIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 4)
		f.watch()
		owing, marked, later, talking := f.pairs[0], f.pairs[1], f.pairs[2], f.pairs[3]
		owing.ask(false) // an answer is owed
		marked.ask(true)
		marked.conn.SetIdle(false) // all is answered, but the server says that it is busy
		later.conn.SetIdle(false)
		go func() {
			time.Sleep(9 * time.Second)
			later.conn.SetIdle(true)
		}()
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(900 * time.Millisecond):
					talking.ask(true)
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := f.Drain(ctx)
		close(stop)
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "server: draining left 3 connections open: context deadline exceeded" {
			t.Errorf("got %v", err)
		}
		kit.Equal(t, "time", time.Since(f.began), 10*time.Second)
		synctest.Wait()
		kit.Equal(t, "an answer is owed", owing.ended, 0)
		kit.Equal(t, "busy, it says", marked.ended, 0)
		kit.Equal(t, "never quiet", talking.ended, 0)
		if later.ended < 9*time.Second || later.ended > 9*time.Second+500*time.Millisecond {
			t.Errorf("the one that is idle after 9 s was closed after %v", later.ended)
		}
	})
}

func TestWithIdleDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2, server.WithIdle(func(c *server.Conn) bool {
			if c.Slot() == 1 {
				panic("for one")
			}
			return c.Slot() == 0
		}))
		f.watch()
		for _, p := range f.pairs {
			p.ask(false)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if f.Drain(ctx) == nil {
			t.Error("the one of which the function panics was closed")
		}
		synctest.Wait()
		if f.pairs[0].ended == 0 || f.pairs[1].ended != 0 {
			t.Errorf("ended at %v and %v", f.pairs[0].ended, f.pairs[1].ended)
		}
	})
}
