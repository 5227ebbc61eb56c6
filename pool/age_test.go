package pool_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// Each goes in its time, idle or lent, and not all at once.
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 40
		p := kit.Must(pool.New(pool.WithMax(n), pool.WithMaxAge(100*time.Second)))(t)
		defer p.Close()
		for slot := range n {
			keep(t, p, slot, pipe)
		}
		c := get(t, p)
		time.Sleep(90*time.Second - 1)
		kit.Equal(t, "kept", p.Stats().Kept, n)
		time.Sleep(5 * time.Second)
		if left := p.Stats().Kept; left < n/4 || left > 3*n/4 {
			t.Errorf("%d of %d are left half way", left, n)
		}
		time.Sleep(5*time.Second + 2)
		s := p.Stats()
		kit.Equal(t, "kept", s.Kept, 0)
		kit.Equal(t, "aged", s.Causes[pool.Aged], n)
		kit.Equal(t, "leaving", s.Leaving, 1)
		<-c.Replaced()
		c.Release()
		kit.Equal(t, "leaving", p.Stats().Leaving, 0)
	})
}

// One that was given up before costs nobody anything later.
func TestAgeOfWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := kit.Must(pool.New(pool.WithMax(1), pool.WithMaxAge(time.Minute)))(t)
		defer p.Close()
		keep(t, p, 1, pipe)
		time.Sleep(50 * time.Second)
		keep(t, p, 0, pipe)
		time.Sleep(30 * time.Second)
		kit.Equal(t, "kept", p.Stats().Kept, 1)
	})
}

// A pool of Open is full again at once.
func TestMaxAgeOfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 3, pool.WithMax(6), pool.WithMaxAge(10*time.Second))
		time.Sleep(5 * time.Minute)
		s := p.Stats()
		kit.Equal(t, "kept", s.Kept, 6)
		if aged := s.Causes[pool.Aged]; aged < 6*25 || aged > 6*35 {
			t.Errorf("%d aged", aged)
		}
	})
}
