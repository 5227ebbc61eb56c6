package rover_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// BenchmarkPipeline is the rover without a network: a tick, a pick, a dial
// that answers at once, the slot line, an event and its subscriber's refusal.
// internal/lab/bench has whole attempts, beside hand-written loops.
func BenchmarkPipeline(b *testing.B) {
	for _, inFlight := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d in flight", inFlight), func(b *testing.B) {
			ticks := hot.NewSubject(hot.WithQueue(2 * inFlight))
			s := kit.Rove(b, rover.WithTicks(ticks.Observable()), rover.WithMaxInFlight(inFlight),
				rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
					return &canned{line: "13\r\n"}, nil
				})))
			left := b.N
			done := make(chan struct{})
			s.Connections().ForEach(func(v any) {
				v.(*rover.Connection).Decline()
				if left--; left >= inFlight {
					ticks.Publish(nil)
				} else if left == 0 {
					close(done)
				}
			}, nil, func() {}, rxgo.WithBufferedChannel(2*inFlight)) // none may overflow: it would be a tick less
			b.ReportAllocs()
			kit.Start(b, s)
			for range min(inFlight, b.N) {
				ticks.Publish(nil)
			}
			<-done
		})
	}
}

// canned is a socket that says its line and no more.
type canned struct {
	net.Conn
	line string
}

func (c *canned) Read(p []byte) (int, error) {
	n := copy(p, c.line)
	c.line = c.line[n:]
	return n, nil
}

func (c *canned) Close() error { return nil }
