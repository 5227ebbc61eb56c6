package pool_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// A server that leaves the set is drained: what is idle closes, what is lent when
// it comes back. Its place is taken at once. New and Open alike.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 3, pool.WithMax(6))
		time.Sleep(10 * time.Second)
		lent := kit.Must(p.ForServer(t.Context(), "s0"))(t)
		p.Stream().DropServer("s0")
		<-lent.Replaced()
		time.Sleep(2 * time.Second)
		s := p.Stats()
		kit.Equal(t, "of it", s.Servers[lent.Server()], 0)
		kit.Equal(t, "drained", s.Causes[pool.Drained], 2)
		kit.Equal(t, "kept", s.Kept, 6)
		time.Sleep(time.Hour)
		kit.Equal(t, "leaving", p.Stats().Leaving, 1)
		kit.Check(t, say(lent, "still good"))
		lent.Release()
		kit.Equal(t, "leaving", p.Stats().Leaving, 0)
	})
}

// With a grace, what is lent closes under its borrower when that is over.
func TestDrainGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 2, pool.WithMax(2), pool.WithDrainGrace(time.Minute))
		time.Sleep(10 * time.Second)
		lent := kit.Must(p.ForServer(t.Context(), "s0"))(t)
		back := kit.Must(p.ForServer(t.Context(), "s1"))(t)
		p.Stream().DropServer("s0")
		p.Stream().DropServer("s1")
		<-back.Replaced()
		back.Release()
		start := time.Now()
		if err := readOne(lent); err != io.ErrClosedPipe {
			t.Error(err)
		}
		kit.Equal(t, "after", time.Since(start), time.Minute)
		lent.Release()
		kit.Equal(t, "leaving", p.Stats().Leaving, 0)
	})
}

// Another server under the same id, and one that comes again.
func TestDrainOfWhatIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		first, second := rover.Server{Host: "first", Port: 1}, rover.Server{Host: "second", Port: 1}
		defer n.serve(t, first)()
		defer n.serve(t, second)()
		p := newPool(t, 3)
		r := kit.Must(rover.New(rover.WithServers(map[string]rover.Server{"a": first}), rover.WithDialer(n), rover.WithInterval(100*time.Millisecond)))(t)
		defer r.Stop()
		p.Attach(t.Context(), r.Connections())
		kit.Check(t, r.Start(t.Context()))
		time.Sleep(time.Second)
		for _, at := range [][2]rover.Server{{first, second}, {second, first}} {
			kit.Equal(t, "of the former", p.Stats().Servers[at[0]], 3)
			kit.Check(t, r.SetServers(map[string]rover.Server{"a": at[1]}))
			synctest.Wait()
			kit.Equal(t, "of the former", p.Stats().Servers[at[0]], 0)
			time.Sleep(time.Second)
			kit.Equal(t, "of the new one", p.Stats().Servers[at[1]], 3)
		}
	})
}

// An offer whose server has left meanwhile is not kept.
func TestOfferOfWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 3)
		at := rover.Server{Host: "a", Port: 1}
		r := kit.Must(rover.New(rover.WithServers(map[string]rover.Server{"a": at}), rover.WithLogger(kit.Quiet())))(t)
		defer r.Stop()
		p.Follow(t.Context(), r.Outcomes(), r.Sets())
		bring := func(at rover.Server) bool {
			client, _ := pipe(t)
			return p.Offer(rover.NewConnection("a", at, 0, client))
		}
		kit.Equal(t, "kept", bring(at), true)
		r.DropServer("a")
		synctest.Wait()
		kit.Equal(t, "kept, dropped", bring(at), false)
		kit.Equal(t, "kept, another one", bring(rover.Server{Host: "b", Port: 1}), true)
		kit.Check(t, r.AddServer("a", at))
		synctest.Wait()
		kit.Equal(t, "kept, added again", bring(at), true)
		r.DropServer("a")
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		kit.Equal(t, "kept, by somebody else's knowledge", bring(at), true)
	})
}
