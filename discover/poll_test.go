package discover_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// The same fault is emitted once, and then once a minute with how often it came,
// whatever our own port was.
func TestTheSameFaultOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		looks := 0
		items := discover.Poll(func(context.Context) (map[string]rover.Server, time.Duration, error) {
			looks++
			return nil, 0, fmt.Errorf("read udp 127.0.0.1:%d->127.0.0.1:53: timeout", 40000+looks)
		}, discover.WithRefresh(time.Second, time.Second), discover.WithJitter(0)).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
		var at []string
		begun := time.Now()
		for item := range items {
			at = append(at, fmt.Sprint(time.Since(begun), " ", item.E))
		}
		kit.Equal(t, "faults", len(at), 3)
		kit.Equal(t, "second", at[1], "1m0s discover: read udp 127.0.0.1:40061->127.0.0.1:53: timeout (60 times more)")
	})
}

// Waits after faults grow up to the most, and a success begins anew.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		var at []time.Duration
		begun := time.Now()
		var health discover.Health
		items := discover.Poll(func(context.Context) (map[string]rover.Server, time.Duration, error) {
			at = append(at, time.Since(begun))
			if len(at) == 6 {
				return map[string]rover.Server{"a": {Host: "h", Port: 1}}, time.Hour, nil
			}
			return nil, 0, errors.New("no")
		}, discover.WithRefresh(time.Second, 8*time.Second), discover.WithJitter(0), discover.WithHealth(&health)).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
		for range items {
		}
		kit.Equal(t, "looks", fmt.Sprint(at), "[0s 1s 3s 7s 15s 23s 31s 32s 34s 38s 46s 54s]")
		report := health.Now()
		age, ok := report.Age(begun.Add(60 * time.Second))
		kit.Equal(t, "age", age, 37*time.Second)
		kit.Equal(t, "health", fmt.Sprint(ok, report.Servers, report.Faults, report.Last), "true 1 11 no")
	})
}

// A look that does not return is a fault at its time limit, and no other is begun.
func TestALookThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		release := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		items := discover.Poll(func(context.Context) (map[string]rover.Server, time.Duration, error) {
			looks.Add(1)
			<-release
			return map[string]rover.Server{"a": {Host: "h", Port: 1}}, time.Hour, nil
		}, discover.WithTimeout(10*time.Second)).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
		begun := time.Now()
		item := <-items
		kit.Equal(t, "fault", fmt.Sprint(item.E), "discover: a look has not returned: context deadline exceeded")
		if took := time.Since(begun); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("it came after %v", took)
		}
		kit.Equal(t, "again", fmt.Sprint((<-items).E), "discover: a look has not returned: context deadline exceeded (6 times more)")
		kit.Equal(t, "looks", looks.Load(), 1)
		close(release)
		kit.Equal(t, "what came late", fmt.Sprint((<-items).V), "map[a:h:1]")
		cancel()
		for range items {
		}
	})
}
