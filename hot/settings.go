package hot

import (
	"iter"

	"github.com/reactivex/rxgo/v2"
)

// Overflow says which item a full queue gives up.
type Overflow int

const (
	// DropNewest gives up the item that found the queue full: what waits is
	// served first. The default.
	DropNewest Overflow = iota
	// DropOldest gives up the item that waited longest: for streams of states,
	// where the newest is the one that counts.
	DropOldest
)

// A SubjectOption configures NewSubject.
type SubjectOption func(*settings)

type settings struct {
	queue      int
	growing    bool
	rule       Overflow
	recent     int // how many of the latest values a newcomer gets first
	keep       func(any) bool
	first      func() iter.Seq[any]
	each       func(any) any
	dropped    func(any)
	overflowed func(any)
	begin      func(any) bool // nil: nothing perishes
	over       func(any) <-chan struct{}
	owner      any
}

// WithQueue sets how many items wait for one subscriber before its queue
// overflows: at least 1, default DefaultQueue. A subscriber chooses for itself
// with rxgo.WithBufferedChannel.
func WithQueue(n int) SubjectOption { return func(s *settings) { s.queue = n } }

// WithGrowingQueue lets the queues grow instead of overflowing: nothing is lost
// for a subscriber that keeps reading, whatever it costs in memory. WithQueue is
// then the size at which a queue starts to grow. A channel from Observe outlives
// the Subject: read it to the end, or end its context.
func WithGrowingQueue() SubjectOption { return func(s *settings) { s.growing = true } }

// WithOverflow sets which item a full queue gives up. Default DropNewest.
func WithOverflow(rule Overflow) SubjectOption { return func(s *settings) { s.rule = rule } }

// WithDropped sets a hook that gets each value a subscriber was meant to get
// and did not: it left with the value unread, the value was over (see
// WithPerishable), or, unless WithOverflowed is set too, the queue overflowed.
// What a Map, a FlatMap or an operator of RxGo's own was handed counts as
// taken, and what a closed channel still holds is its reader's. The hook runs
// on the goroutine that found out, outside all locks.
func WithDropped(hook func(v any)) SubjectOption { return func(s *settings) { s.dropped = hook } }

// WithOverflowed sets a hook that gets, instead of the WithDropped hook, each
// value that a full queue gave up: at its publication, and at the Subject's end
// if the channel of an Observe behind stages had no room for it. There it is what
// the last stage made of the value, such as a Map's result; values that perish
// (see WithPerishable) stay what they were. The hook runs on the goroutine that
// found out, outside all locks.
func WithOverflowed(hook func(v any)) SubjectOption { return func(s *settings) { s.overflowed = hook } }

// WithPerishable is for values that may be over before their subscriber gets
// them. begin is called when v is about to be handed to its subscriber, on the
// subscriber's goroutine and outside all locks; false: v is over, it is skipped
// and goes to the WithDropped hook. over returns a channel that is closed when v
// is over; nil: it never is. It is called only where v has to wait for the
// reader of an Observe channel, which has no buffer then: v is withdrawn, to the
// WithDropped hook, when it is over; and when v was read after all, begin is
// called once more and its result ignored, for what runs from delivery. A
// nil begin means that no value is over when its turn comes, a nil over that none
// is while it waits. At the Subject's end, values that no reader waits for
// overflow; an error waits for its reader, or the end of its context.
func WithPerishable(begin func(v any) bool, over func(v any) <-chan struct{}) SubjectOption {
	if begin == nil {
		begin = func(any) bool { return true }
	}
	if over == nil {
		over = func(any) <-chan struct{} { return nil }
	}
	return func(s *settings) { s.begin, s.over = begin, over }
}

// WithEach sets what a subscriber gets for v, called once for each one: for
// values that every subscriber needs a copy of its own of. It runs under the
// Subject's lock and must not call the Subject.
func WithEach(copyOf func(v any) any) SubjectOption { return func(s *settings) { s.each = copyOf } }

// WithOwner says what the Subject belongs to, for Owner.
func WithOwner(owner any) SubjectOption { return func(s *settings) { s.owner = owner } }

// Owner is the owner of the Subject behind an observable, through fused stages
// such as Filter and Map; nil if there is none, or no telling.
func Owner(source rxgo.Observable) any {
	if o := unwrap(source); o != nil {
		return o.owner
	}
	return nil
}

// WithLatest gives a newcomer the latest value first, as a state has it, and
// sets the rule DropOldest. Of WithLatest, WithRecent, WithReplay and WithFirst
// the last one given counts.
func WithLatest() SubjectOption {
	return func(s *settings) { s.recent, s.keep, s.first, s.rule = 1, nil, nil, DropOldest }
}

// WithRecent gives a newcomer the n latest values first, after the end too; n is
// at least 1. Every queue has room for so many.
func WithRecent(n int) SubjectOption {
	return func(s *settings) {
		if s.recent, s.keep, s.first = n, nil, nil; n == 0 {
			s.recent = -1 // which NewSubject refuses
		}
	}
}

// WithReplay gives a newcomer first, in their order, the earlier values that
// keep still returns true for. A value it returned false for is forgotten. It runs
// under the Subject's lock and must not call the Subject.
func WithReplay(keep func(v any) bool) SubjectOption {
	return func(s *settings) { s.recent, s.keep, s.first = 0, keep, nil }
}

// WithFirst gives a newcomer first what values yields, in that order, as many
// as its queue has room for; a queue that grows has room for all. What has no
// room is not shown: no copy is made of it, and no hook gets it. It runs under
// the Subject's lock and must not call the Subject.
func WithFirst(values func() iter.Seq[any]) SubjectOption {
	return func(s *settings) { s.recent, s.keep, s.first = 0, nil, values }
}

func (s *settings) copyOf(v any) any {
	if s.each == nil {
		return v
	}
	return s.each(v)
}

func (s *settings) drop(lost ...any) { give(s.dropped, lost) }

func (s *settings) overflow(lost ...any) { give(s.overflowed, lost) }

func give(hook func(any), values []any) {
	if hook == nil {
		return
	}
	for _, v := range values {
		if v != nil {
			hook(v)
		}
	}
}
