package marble

import (
	"context"
	"testing"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// noted makes a source's values part of one list, in the order in which they are seen.
func noted(list chan string, name string, source rxgo.Observable) rxgo.Observable {
	return source.Map(func(_ context.Context, v any) (any, error) {
		list <- name + v.(string)
		return v, nil
	})
}

// The order of one instant is RxJS's, in every run: hot sources as they were made, cold ones
// as they were subscribed, and of one source the earlier subscriber first.
func TestOrderOfSubscribers(t *testing.T) {
	for range 200 {
		Test(t, func(m *M) {
			list := make(chan string, 20)
			cold := m.Cold("-(ab)")
			second, first := m.Hot("-x"), m.Hot("-y")
			for _, o := range []rxgo.Observable{
				noted(list, "1", cold), noted(list, "2", first), noted(list, "3", second), noted(list, "4", first), noted(list, "5", cold),
			} {
				m.Expect(o, Window("^-!"), Equal(func(any, any) bool { return true })).ToEqual(o)
			}
			m.Flush()
			close(list)
			got := ""
			for s := range list {
				got += s + " "
			}
			// Each is observed twice, by Expect and by ToEqual.
			if want := "3x 3x 2y 2y 4y 4y 1a 1b 1a 1b 5a 5b 5a 5b "; got != want {
				m.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// What the first subscriber does is done before the second gets the value: it may unsubscribe
// the second.
func TestFirstSubscriberUnsubscribesTheSecond(t *testing.T) {
	for range 200 {
		Test(t, func(m *M) {
			source := m.Hot("-a")
			ctx, cancel := context.WithCancel(m.Context())
			saw := false
			m.At(0, func() {
				source.DoOnNext(func(any) { cancel() })
				source.DoOnNext(func(any) { saw = true }, rxgo.WithContext(ctx))
			})
			m.Cleanup(cancel)
			m.Expect(source, Window("^-!")).ToBe("-a")
			m.Flush()
			if saw {
				m.Errorf("the second saw the value, too")
			}
			m.sources[0].release()
		})
	}
}

// A subscriber that does not read has production's queue.
func TestQueueThatIsFull(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []hot.SubjectOption
		want    string
		lost    int
	}{
		{"the newest is lost", []hot.SubjectOption{hot.WithQueue(2)}, "---abc|", 2},
		{"the oldest is lost", []hot.SubjectOption{hot.WithQueue(2), hot.WithOverflow(hot.DropOldest)}, "---ade|", 2},
		{"it grows", []hot.SubjectOption{hot.WithQueue(2), hot.WithGrowingQueue()}, "---abcde|", 0},
		{"thirty by default", nil, "---abcde|", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			Test(t, func(m *M) {
				source := m.Hot("[abcde|]").Queue(test.options...)
				slow := source.Map(func(_ context.Context, v any) (any, error) {
					if v == "a" {
						time.Sleep(3 * time.Millisecond)
						return v, nil
					}
					time.Sleep(time.Millisecond)
					return v, nil
				})
				// The last value is the end's time, too.
				want := test.want[:len(test.want)-2] + "(" + test.want[len(test.want)-2:] + ")"
				m.Expect(slow).ToBe(want)
				m.Flush()
				if log := source.Subscriptions(); len(log) != 1 || log[0] != (Subscription{Lost: test.lost}) {
					m.Errorf("subscriptions %+v, want one of no time with %d lost", log, test.lost)
				}
			})
		})
	}
	mustFail(t, func(m *M) {
		slow := func(_ context.Context, v any) (any, error) { time.Sleep(time.Millisecond); return v, nil }
		m.Expect(m.Hot("[abc|]").Queue(hot.WithQueue(1)).Map(slow)).ToBe("-ab(c|)")
	}, `"hot [abc|]", subscribed at 0s: 1 of its values found the subscriber's queue full and were lost`)
}

func TestSubscriptionsAsData(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Cold("a-b")
		m.Expect(source, Window("-^-!")).ToBe("-a-")
		m.Expect(source).ToBe("a-b")
		m.Flush()
		want := []Subscription{{Open: true}, {From: time.Millisecond, To: 3 * time.Millisecond}}
		if got := source.Subscriptions(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			m.Errorf("got %+v, want %+v", got, want)
		}
	})
}
