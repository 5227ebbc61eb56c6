//go:build !plan9

package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// A life is one stream from New to its end, with all that happens to it.
type life struct {
	run    *run
	random *rand.Rand // for the goroutine that lives the life; others have their own

	budget      int // attempts
	maxInFlight int
	dialTimeout time.Duration

	field   *field
	dialer  *trackedDialer
	sets    *hot.Subject
	stream  *rover.Stream
	witness *witness
	crowd   *crowd

	ending chan struct{} // closed when the stream is to end
	stats  rover.Stats   // when all is over

	mu     sync.Mutex
	wrongs []error
}

func newLife(r *run, source rand.Source) *life {
	random := rand.New(source)
	return &life{
		run: r, random: random, ending: make(chan struct{}),
		budget:      1 + random.IntN(3000),
		maxInFlight: 1 << random.IntN(9),
		dialTimeout: 10*time.Millisecond + upTo(random, 30*time.Millisecond),
	}
}

// wrong takes note of something that must not be.
func (l *life) wrong(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrongs) < 10 {
		l.wrongs = append(l.wrongs, fmt.Errorf(format, args...))
	}
}

// chance is a random source for one more goroutine. Only the life's own goroutine may call it.
func (l *life) chance() *rand.Rand {
	return rand.New(rand.NewPCG(l.random.Uint64(), l.random.Uint64()))
}

// live lives the life and returns what was wrong with it.
func (l *life) live(ctx context.Context) error {
	var err error
	if l.field, err = l.newField(1+l.random.IntN(20), l.random.IntN(20)); err != nil {
		return err
	}
	if err := l.newStream(); err != nil {
		return errors.Join(err, l.field.close())
	}
	l.witness = newWitness(l)
	l.crowd = newCrowd(l)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	roving, stopRoving := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRoving()
	if l.random.IntN(50) > 0 { // else it is stopped without ever having roved
		if err := l.stream.Start(roving); err != nil {
			l.wrong("Start: %w", err)
		}
	}
	l.run.now.Store(l.stream)

	var chaos sync.WaitGroup
	random := l.chance()
	chaos.Go(func() { l.meddle(ctx, random) })
	l.crowd.open(ctx, l.chance())
	l.age(ctx)

	close(l.ending)
	l.end(stopRoving)
	cancel()
	chaos.Wait()
	l.crowd.close()
	l.witness.wait()
	l.check()
	if err := l.field.close(); err != nil {
		l.wrong("%w", err)
	}
	return errors.Join(l.wrongs...)
}

// newStream makes the stream with options as they come.
func (l *life) newStream() error {
	l.sets = hot.NewSubject()
	l.dialer = &trackedDialer{Dialer: l.field, raw: l.random.IntN(4) == 0, open: &l.run.open}
	handler := slog.Handler(slog.DiscardHandler)
	if l.random.IntN(10) == 0 {
		handler = panickingHandler{}
	}
	pick := l.chance()
	var err error
	l.stream, err = rover.New(
		rover.WithTicks(l.ticks(l.chance())),
		rover.WithServers(l.field.some(l.random, 0.7)),
		rover.WithServerSets(l.sets.Observable()),
		rover.WithDialer(l.dialer),
		rover.WithDialTimeout(l.dialTimeout),
		rover.WithKeepTimeout(time.Millisecond+upTo(l.random, 50*time.Millisecond)),
		rover.WithMaxInFlight(l.maxInFlight),
		rover.WithLogger(slog.New(handler)),
		rover.WithPick(func(n int) int {
			if pick.IntN(1000) == 0 {
				panic("a pick that panics")
			}
			return pick.IntN(n)
		}),
	)
	return err
}

// ticks emits as fast as attempts end, and sometimes faster.
func (l *life) ticks(random *rand.Rand) rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		return func(yield func(rxgo.Item) bool) {
			beat := time.NewTicker(time.Millisecond)
			defer beat.Stop()
			for ctx.Err() == nil {
				free := l.maxInFlight - l.stream.Stats().InFlight
				if random.IntN(20) == 0 {
					free += 3
				}
				for range free {
					if !yield(rxgo.Of(struct{}{})) {
						return
					}
				}
				select {
				case <-beat.C:
				case <-ctx.Done():
				}
			}
		}
	}, nil)
}

// age lets the life go on until its attempts are made, or for a time.
func (l *life) age(ctx context.Context) {
	old := time.NewTimer(time.Millisecond + upTo(l.random, time.Second))
	defer old.Stop()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for l.stream.Stats().Attempts < l.budget {
		select {
		case <-look.C:
		case <-old.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// end ends the stream in one of the ways there are.
func (l *life) end(stopRoving func()) {
	ways := []struct {
		name string
		end  func()
	}{
		{"Stop", func() {}},
		{"context", func() { stopRoving() }},
		{"context and Stop at once", func() { go stopRoving() }},
		{"many Stops at once", func() {
			for range 3 {
				go l.stream.Stop()
			}
		}},
		{"Stop in a callback", func() { l.crowd.stopWithin() }},
	}
	way := ways[l.random.IntN(len(ways))]
	l.run.tally.count("end by " + way.name)
	way.end()
	l.stream.Stop()
	if err := l.stream.Start(context.Background()); !errors.Is(err, rover.ErrStopped) {
		l.wrong("Start after Stop: want ErrStopped, got %v", err)
	}
}

// check checks what must be true when the life is over.
func (l *life) check() {
	n := l.stream.Stats()
	l.stats = n
	l.checkSums(n)
	if n.InFlight != 0 || n.Open != 0 || n.Owed != 0 {
		l.wrong("after Stop %d attempts are in flight, %d offers open and %d ticks owed", n.InFlight, n.Open, n.Owed)
	}
	if kept := int(l.crowd.kept.Load()); n.Kept != kept {
		l.wrong("%d connections are counted as kept, subscribers kept %d", n.Kept, kept)
	}
	if dials := int(l.dialer.dials.Load()); dials > n.Attempts || dials < n.Attempts-n.Aborted {
		l.wrong("%d dials were made in %d attempts, of which %d were aborted", dials, n.Attempts, n.Aborted)
	}
	if open := l.run.open.Load(); open != 0 {
		l.wrong("%d sockets are open", open)
	}
	l.witness.check(n)
}

// checkSums checks that counters, taken at any time, add up.
func (l *life) checkSums(n rover.Stats) {
	if err := kit.AddUp(n); err != nil {
		l.wrong("%w", err)
	}
}

// A panickingHandler panics with each record.
type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (panickingHandler) Handle(context.Context, slog.Record) error { panic("a logger that panics") }

// warmUp makes what a process makes once and keeps, such as the poller.
func warmUp() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		_ = listener.Close()
	}
}
