package rovertest_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/marble"
	"github.com/callosum-go/rover/rovertest"
	"github.com/reactivex/rxgo/v2"
)

// lowSlots is the pipeline under test: it keeps connections of a slot below ten.
func lowSlots(stream *rover.Stream) rxgo.Observable {
	return rover.Accept(stream.Connections(), rover.SlotBelow(10))
}

// slot is what a diagram shows of a connection. It closes it, too: the test has no use for it.
func slot(_ context.Context, v any) (any, error) {
	connection := v.(*rover.Connection)
	conn, err := connection.Keep()
	if err != nil {
		return nil, err
	}
	return connection.Slot, conn.Close()
}

func TestKeepsLowSlots(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		m.Frame(time.Second)
		network := rovertest.NewDialer(m)
		network.Serve("10.0.0.1:4040",
			m.Cold("s", marble.Values{"s": 3}),
			m.Cold("s", marble.Values{"s": 12}),
			m.Cold("-s", marble.Values{"s": 7}))
		stream, err := rover.New(
			rover.WithServers(map[string]rover.Server{"one": {Host: "10.0.0.1", Port: 4040}}),
			rover.WithInterval(2*time.Second),
			rover.WithDialer(network))
		if err != nil {
			m.Fatal(err)
		}
		m.Expect(lowSlots(stream).Map(slot)).ToBe("a----b|", marble.Values{"a": 3, "b": 7})
		m.At(0, func() { _ = stream.Start(m.Context()) })
		m.At(m.Time("------|"), stream.Stop)
		m.Flush()
		if open := network.Open(); open != 0 {
			m.Errorf("%d connections are open", open)
		}
	})
}

// An error on a diagram is expected as errors.Is has it, so *rover.UnreachableError need not be spelled out.
func TestServersThatFail(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		m.Frame(time.Second)
		network := rovertest.NewDialer(m)
		refuses, hangs := m.Cold("#"), m.Cold("")
		network.Serve("10.0.0.1:4040", refuses)
		network.Serve("10.0.0.2:4040", hangs)
		servers := m.Hot("a--b", marble.Values{
			"a": map[string]rover.Server{"one": {Host: "10.0.0.1", Port: 4040}},
			"b": map[string]rover.Server{"two": {Host: "10.0.0.2", Port: 4040}},
		})
		stream, err := rover.New(
			rover.WithServerSets(servers),
			rover.WithTicks(m.Hot("-t--t----|")),
			rover.WithDialTimeout(3*time.Second),
			rover.WithDialer(network))
		if err != nil {
			m.Fatal(err)
		}
		m.Expect(stream.Unreachable()).ToBe("-r-----t-|",
			marble.Values{"r": syscall.ECONNREFUSED, "t": os.ErrDeadlineExceeded})
		m.ExpectSubscriptions(refuses).ToBe("-(^!)")
		m.ExpectSubscriptions(hangs).ToBe("----^--!")
		m.At(0, func() { _ = stream.Start(m.Context()) })
		m.At(m.Time("---------|"), stream.Stop)
	})
}
