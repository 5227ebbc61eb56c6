package hot

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
	queue    int
	overflow Overflow
	latest   bool
	keep     func(any) bool
	each     func(any) any
	dropped  func(any)
}

// WithQueue sets how many items wait for one subscriber before its queue
// overflows: at least 1, default DefaultQueue. A subscriber chooses for itself
// with rxgo.WithBufferedChannel.
func WithQueue(n int) SubjectOption { return func(s *settings) { s.queue = n } }

// WithOverflow sets which item a full queue gives up. Default DropNewest.
func WithOverflow(rule Overflow) SubjectOption { return func(s *settings) { s.overflow = rule } }

// WithDropped sets a hook that is told each value a subscriber was meant to
// get and did not: its queue overflowed, or it left with the value unread.
// What a Map, a FlatMap or an operator of RxGo's own was handed counts as
// taken, and what a closed channel still holds is its reader's. The hook runs
// on the goroutine that found out, outside all locks.
func WithDropped(hook func(v any)) SubjectOption { return func(s *settings) { s.dropped = hook } }

// WithEach sets what a subscriber gets for v, called once for each one: for
// values that every subscriber needs a copy of its own of. It runs under the
// Subject's lock and must not call the Subject.
func WithEach(copyOf func(v any) any) SubjectOption { return func(s *settings) { s.each = copyOf } }

// WithLatest gives a newcomer the latest value first, as a state has it.
func WithLatest() SubjectOption {
	return func(s *settings) { s.latest, s.keep, s.overflow = true, nil, DropOldest }
}

// WithReplay gives a newcomer first, in their order, the earlier values that
// keep still says true to. A value it said false to is forgotten. It runs
// under the Subject's lock and must not call the Subject.
func WithReplay(keep func(v any) bool) SubjectOption {
	return func(s *settings) { s.keep, s.latest = keep, false }
}

func (s *settings) copyOf(v any) any {
	if s.each == nil {
		return v
	}
	return s.each(v)
}

func (s *settings) drop(lost ...any) {
	if s.dropped == nil {
		return
	}
	for _, v := range lost {
		if v != nil {
			s.dropped(v)
		}
	}
}
