package discover

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/repeat"
)

// ErrEmpty is the fault of a source that names no server.
var ErrEmpty = errors.New("no server is named")

// ErrShrunk is the fault of a set that WithShrink holds back.
var ErrShrunk = errors.New("many servers are missing at once")

// An Answer is what a source says at one look.
type Answer struct {
	// Servers is the whole set.
	Servers map[string]rover.Server
	// Unread are the ids that are there too, and why they cannot be read: they are
	// left out, and what had such an id stays. May be nil.
	Unread map[string]error
	// Known is what else is known of them, for WithAttributes. May be nil. It must
	// not be changed afterwards.
	Known map[string]Attribute
	// Good is how long the answer is good for.
	Good time.Duration
	// Wrong is a fault that does not spoil the answer. Nil: there is none.
	Wrong error
}

// A guard keeps the rules for one subscriber. It is a state machine without a
// goroutine: answers and faults go in, what is to be emitted comes out by yield.
type guard struct {
	*settings
	yield func(rxgo.Item) bool
	leave context.CancelFunc
	left  bool // the subscriber has

	last   map[string]rover.Server // what is in force; only ever changed here
	begun  bool                    // there was a set
	faults repeat.Log
	held   *Answer   // a set that waits, because it shrank
	due    time.Time // when it has waited for long enough
}

// source is an observable that calls run once a subscriber.
func source(opts []Option, run func(context.Context, *guard)) rxgo.Observable {
	s, err := configure(opts)
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		return func(yield func(rxgo.Item) bool) {
			if err != nil {
				yield(rxgo.Error(err))
				return
			}
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			run(ctx, &guard{settings: s, yield: yield, leave: cancel, last: map[string]rover.Server{}})
		}
	}, nil)
}

func (g *guard) emit(item rxgo.Item) {
	if !g.left && !g.yield(item) {
		g.left = true
		g.leave()
	}
}

// fault emits what went wrong, if it has not just been.
func (g *guard) fault(err error) {
	g.health.failed(err)
	times, now := g.faults.Happened(key(err))
	switch {
	case !now:
	case times == 1:
		g.emit(rxgo.Error(fmt.Errorf("discover: %s%w", g.name, err)))
	default:
		g.emit(rxgo.Error(fmt.Errorf("discover: %s%w (%d times more)", g.name, err, times)))
	}
}

var ephemeral = regexp.MustCompile(`:\d+->`)

// key is the same for the same fault: our own port is another each time.
func key(err error) string { return ephemeral.ReplaceAllString(err.Error(), "->") }

// answer makes an answer the set in force, as far as it is right.
func (g *guard) answer(a Answer) {
	if a.Wrong != nil {
		g.fault(a.Wrong)
	}
	fresh, stay, wrong := g.compare(a)
	if len(wrong) > 0 {
		g.fault(leftOut(wrong, len(a.Servers)+len(a.Unread)))
	}
	n := stay + len(fresh)
	for id := range fresh {
		if _, had := g.last[id]; had {
			n-- // it is in stay too
		}
	}
	if n == 0 && !g.empty {
		if len(wrong) == 0 && a.Wrong == nil { // else it has been said why
			g.fault(ErrEmpty)
		}
		return
	}
	g.health.answered(time.Now())
	if g.begun && len(fresh) == 0 && stay == len(g.last) {
		g.held = nil
		g.note(a)
		return
	}
	if float64(n) < g.keep*float64(len(g.last)) && !g.waited(a, n) {
		return
	}
	g.adopt(a, fresh)
}

// compare finds what is new in an answer or has another value, how many ids of the
// last set are in it, and what is wrong with the others, by id.
func (g *guard) compare(a Answer) (fresh map[string]rover.Server, stay int, wrong map[string]error) {
	bad := func(id string, why error) {
		if wrong == nil {
			wrong = map[string]error{}
		}
		wrong[id] = why
	}
	for id, server := range a.Servers {
		was, had := g.last[id]
		if had {
			stay++
		}
		if had && was == server {
			continue
		}
		if err := check(id, server); err != nil {
			bad(id, err)
			continue
		}
		if fresh == nil {
			fresh = map[string]rover.Server{}
		}
		fresh[id] = server
	}
	for id, why := range a.Unread {
		if _, had := g.last[id]; had {
			stay++
		}
		bad(id, why)
	}
	return fresh, stay, wrong
}

// check asks the root package, which reads what it writes only if it is right.
func check(id string, server rover.Server) error {
	if id == "" {
		return errors.New("its id is empty")
	}
	return new(rover.Server).UnmarshalText([]byte(server.Addr()))
}

// leftOut is one fault for all wrong entries of an answer, and no longer than can
// be read.
func leftOut(wrong map[string]error, of int) error {
	const most = 3
	ids := slices.Sorted(maps.Keys(wrong))
	var all strings.Builder
	for _, id := range ids[:min(most, len(ids))] {
		fmt.Fprintf(&all, "; %q: %v", id, wrong[id])
	}
	if len(ids) > most {
		fmt.Fprintf(&all, "; and %d more", len(ids)-most)
	}
	return fmt.Errorf("left out %d of %d servers%s", len(ids), of, all.String())
}

// waited says whether a set that shrank has waited for long enough.
func (g *guard) waited(a Answer, n int) bool {
	if g.held == nil {
		g.due = time.Now().Add(g.confirm)
		g.fault(fmt.Errorf("%w: %d of %d are left, which waits for %v", ErrShrunk, n, len(g.last), g.confirm))
	}
	g.held = &Answer{Servers: maps.Clone(a.Servers), Unread: maps.Clone(a.Unread), Known: a.Known}
	return !time.Now().Before(g.due)
}

// release puts in force what was held back, when it is due.
func (g *guard) release() {
	if g.held != nil && !time.Now().Before(g.due) {
		g.answer(*g.held)
	}
}

// adopt changes the last set in place and emits a copy: what stays is not made
// anew, and whoever made the answer may use its map again.
func (g *guard) adopt(a Answer, fresh map[string]rover.Server) {
	maps.DeleteFunc(g.last, func(id string, _ rover.Server) bool {
		_, stays := a.Servers[id]
		_, unread := a.Unread[id]
		return !stays && !unread
	})
	maps.Copy(g.last, fresh)
	g.begun, g.held = true, nil
	g.note(a)
	g.health.adopted(len(g.last), time.Now())
	g.emit(rxgo.Of(maps.Clone(g.last)))
}

func (g *guard) note(a Answer) {
	if g.attributes != nil {
		g.attributes.Replace(a.Known)
	}
}

// backoff is how long to wait after one fault, and the next.
func (s *settings) backoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: s.min, Multiplier: 2, MaxInterval: s.max}
}

// early is a wait that is a little shorter by chance.
func (s *settings) early(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - s.jitter*rand.Float64()))
}
