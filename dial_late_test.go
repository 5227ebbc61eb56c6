package rover_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// The socket of a dialer that was left behind is closed when it comes, while
// the roving goes on.
func TestALateSocketIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, sockets := make(chan struct{}), make(chan net.Conn, 100)
		s := kit.Rove(t, rover.WithDialer(hang(release, sockets)), rover.WithInterval(time.Hour))
		outcomes := outcomesOf(s)
		kit.Start(t, s)
		time.Sleep(time.Minute)
		returnAll(t, 1, release, sockets)
		kit.Equal(t, "outcomes", len(outcomes.Seen()), 1)
		wantStats(t, s, rover.Stats{Ticks: 1, Attempts: 1, Unreachable: 1})
		s.Stop()
	})
}

// A panic is on Errors, though its server has left the set.
func TestAPanicOfADroppedServersAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithInterval(time.Hour), rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(time.Second)
			panic(kit.ErrOdd)
		})))
		failed := kit.Watch[error](s.Errors())
		kit.Start(t, s)
		synctest.Wait()
		s.DropServer("a")
		time.Sleep(2 * time.Second)
		if all := failed.Seen(); len(all) != 1 || !errors.Is(all[0], kit.ErrOdd) {
			t.Errorf("emitted %v", all)
		}
		kit.Equal(t, "failures", s.Stats().Failures, 1)
		s.Stop()
	})
}

// A ProtocolError shows what has arrived, beyond what was read, 32 bytes at the most.
func TestALineIsShownWhole(t *testing.T) {
	for said, want := range map[string]string{
		"SSH-2.0-x\r\n": "SSH-2.0-x\r\n",
		"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n": "HTTP/1.1 400 Bad Request\r\nConnec",
	} {
		server, _ := kit.ServeLine(t, said, nil)
		s := kit.Rove(t, rover.WithServers(map[string]rover.Server{"a": server}), rover.WithInterval(time.Hour))
		failed := s.Errors().Observe()
		kit.Start(t, s)
		protocol, ok := (<-failed).V.(*rover.ProtocolError)
		if !ok || string(protocol.Line) != want || protocol.Addr != server.Addr() {
			t.Errorf("%+v, want line %q", protocol, want)
		}
		s.Stop()
	}
}
