package whole_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// Whatever a source of sets emits, the good servers of the last set are in force, in
// the place of bad ones what was there before, and each bad server and each item
// that is no set is emitted once as an error. A byte says what comes: a server more
// for the next set, the set itself, or something that is none.
func FuzzServerSets(f *testing.F) {
	f.Add("a1|", uint8(0))
	f.Add("a1b2|x|a0|", uint8(1))
	f.Add("||c3|!", uint8(2))
	f.Fuzz(func(t *testing.T, script string, kind uint8) {
		if len(script) > 200 {
			t.Skip("long enough is long enough")
		}
		synctest.Test(t, func(t *testing.T) {
			subject := hot.NewSubject(hot.WithQueue(1000))
			source := subject.Observable()
			switch kind % 3 {
			case 1:
				source = source.Map(func(_ context.Context, v any) (any, error) { return v, nil })
			case 2:
				source = rover.Merge([]rxgo.Observable{source, rxgo.Empty()})
			}
			s := kit.Rove(t, rover.WithServerSets(source), rover.WithTicks(rxgo.Empty()))
			failures := kit.Watch[error](s.Errors(), rxgo.WithBufferedChannel(1000))
			kit.Start(t, s)

			inForce, bad := kit.One, 0
			next := map[string]rover.Server{}
			for i := 0; i < len(script); i++ {
				switch c := script[i]; c {
				case '|':
					subject.Publish(maps.Clone(next))
					for id, server := range next {
						if id != "" && server.Port >= 1 && server.Port <= 65535 {
							continue
						}
						bad++
						delete(next, id)
						if former, known := inForce[id]; known {
							next[id] = former
						}
					}
					inForce, next = next, map[string]rover.Server{}
				case 'x':
					subject.Publish(script)
					bad++
				case '!':
					subject.Publish(nil)
					bad++
				default:
					id := strings.Repeat(string(rune(c)), int(c)%3)
					server := rover.Server{Host: "10.0.0.1", Port: int(c) * 600}
					if _, again := next[id]; !again {
						next[id] = server
					}
				}
			}
			if len(script)%2 == 0 {
				subject.Complete()
			} else {
				subject.Fail(kit.ErrOdd)
				bad++
			}
			synctest.Wait()
			if got := s.Servers(); !maps.Equal(got, inForce) {
				t.Errorf("in force: %v, want %v", got, inForce)
			}
			if n := len(failures.Seen()); n != bad {
				t.Errorf("%d errors, want %d: %v", n, bad, failures.Seen())
			}
		})
	})
}
