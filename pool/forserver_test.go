package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

func TestForServerLendsWhatIsIdleOrComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 4)
		for slot, id := range []string{"a", "b", "b", "c"} {
			client, _ := pipe(t)
			p.Offer(rover.NewConnection(id, rover.Server{Host: id, Port: 1}, slot, client))
		}
		first := kit.Must(p.ForServer(t.Context(), "a"))(t)
		kit.Equal(t, "id", first.ID(), "a")
		got := make(chan *pool.Conn)
		go func() { got <- kit.Must(p.ForServer(t.Context(), "a"))(t) }()
		synctest.Wait()
		kit.Equal(t, "waiting", p.Stats().Waiting, 1)
		var all []*pool.Conn
		for range 3 {
			all = append(all, get(t, p)) // nobody waits behind who waits for a
		}
		all[0].Release()
		select {
		case c := <-got:
			t.Fatal("got", c.ID())
		default:
		}
		first.Release()
		c := <-got
		kit.Equal(t, "id", c.ID(), "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.ForServer(ctx, "a")
		kit.Equal(t, "error", errors.Is(err, context.DeadlineExceeded), true)
		kit.Equal(t, "waiting", p.Stats().Waiting, 0)
		c.Release()
		kit.Equal(t, "idle", p.Stats().Idle, 2)
	})
}

// A pool of Open dials the server for it, whether or not it holds one: a
// query's cancel is needed while the query has the connection.
func TestForServerDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 2, pool.WithMax(2))
		time.Sleep(10*time.Minute + 17*time.Millisecond) // at rest
		query := kit.Must(p.ForServer(t.Context(), "s1"))(t)
		start := time.Now()
		cancel := kit.Must(p.ForServer(t.Context(), "s1"))(t)
		kit.Equal(t, "server", cancel.Server(), query.Server())
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		s := p.Stats()
		kit.Equal(t, "kept", s.Kept, 2)
		kit.Equal(t, "leaving", s.Leaving, 1)
		cancel.Release()
		query.Release()
		synctest.Wait()
		s = p.Stats()
		kit.Equal(t, "kept", s.Kept, 2)
		kit.Equal(t, "idle", s.Idle, 2)
		kit.Equal(t, "leaving", s.Leaving, 0)
	})
}

// Who waits for a server gets what it offers, wanted by the pool or not; who has
// gone gets nothing, and nothing is left.
func TestForServerTakesAnOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 1)
		keep(t, p, 0, pipe)
		got := make(chan *pool.Conn)
		go func() { got <- kit.Must(p.ForServer(t.Context(), "b"))(t) }()
		synctest.Wait()
		bring := func() bool {
			client, _ := pipe(t)
			return p.Offer(rover.NewConnection("b", rover.Server{Host: "b", Port: 1}, 7, client))
		}
		kit.Equal(t, "kept", bring(), true)
		c := <-got
		kit.Equal(t, "slot", c.Slot(), 7)
		kit.Equal(t, "kept, with nobody waiting", bring(), false)
		c.Release()
		s := p.Stats()
		kit.Equal(t, "kept and leaving", s.Kept+s.Leaving, 1)
		go func() {
			_, err := p.ForServer(t.Context(), "b")
			kit.Equal(t, "error", err, pool.ErrClosed)
			close(got)
		}()
		synctest.Wait()
		p.Close()
		<-got
	})
}
