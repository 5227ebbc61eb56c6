package whole_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"iter"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/marble"
	"github.com/callosum-go/rover/rovertest"
	"github.com/reactivex/rxgo/v2"
)

// The pictures of docs/ are tests: each shows what its pipeline was seen to do.

//go:generate go test . -run ^TestFigures$ -update

const pictureDir = "../../../docs/pictures"

var update = flag.Bool("update", false, "draw the pictures of docs/pictures anew")

// A picture is a figure, and the pipeline that has to do what it shows.
type picture struct {
	figure   marble.Figure
	pipeline func(m *marble.M, in []*marble.Source) []rxgo.Observable
	until    string // for what does not end by itself
}

// pictures are by the names of their files.
var pictures = map[string]picture{
	"interval": {marble.Figure{
		Title:    "Interval",
		Operator: "Interval(2 * time.Second)",
		Out: []marble.Lane{
			{Name: "one subscriber", Diagram: "a-b-c-d-e", Values: numerals},
			{Name: "a later one", Diagram: "---a-b-c", Values: numerals}},
		Frame: time.Second,
	}, func(*marble.M, []*marble.Source) []rxgo.Observable {
		interval := rover.Interval(2 * time.Second)
		return []rxgo.Observable{interval, later(3*time.Second, interval)}
	}, "^-------!"},

	"with-latest-from": {marble.Figure{
		Title: "WithLatestFrom",
		In: []marble.Lane{
			{Name: "source", Diagram: "-a-b---c-d---|"},
			{Name: "other", Diagram: "--x--y---------|"}},
		Operator: "WithLatestFrom(source, other, concat)",
		Out:      []marble.Lane{{Diagram: "---b---c-d---|", Values: marble.Values{"b": "bx", "c": "cy", "d": "dy"}}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.WithLatestFrom(in[0], in[1], concat)}
	}, ""},

	"merge-map": {marble.Figure{
		Title: "MergeMap",
		In: []marble.Lane{
			{Name: "source", Diagram: "-a--b--|"},
			{Name: "a becomes", Diagram: "x--x--x|", Cold: true},
			{Name: "b becomes", Diagram: "-yy|", Cold: true}},
		Operator: "MergeMap(source, 0, project)",
		Out:      []marble.Lane{{Diagram: "-x--xyyx|"}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.MergeMap(in[0], 0, func(item rxgo.Item) rxgo.Observable {
			return map[any]rxgo.Observable{"a": in[1], "b": in[2]}[item.V]
		})}
	}, ""},

	"merge": {marble.Figure{
		Title: "Merge",
		In: []marble.Lane{
			{Diagram: "-a---b----c-|"},
			{Diagram: "---x-----y-----|"}},
		Operator: "Merge",
		Out:      []marble.Lane{{Diagram: "-a-x-b---yc----|"}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.Merge([]rxgo.Observable{in[0], in[1]})}
	}, ""},

	"take-until": {marble.Figure{
		Title: "TakeUntil",
		In: []marble.Lane{
			{Name: "source", Diagram: "-a--b---c--d-|"},
			{Name: "notifier", Diagram: "----------n----|"}},
		Operator: "TakeUntil(source, notifier)",
		Out:      []marble.Lane{{Diagram: "-a--b---c-|"}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.TakeUntil(in[0], in[1])}
	}, ""},

	"share": {marble.Figure{
		Title:    "Share",
		In:       []marble.Lane{{Name: "source", Diagram: "-a--b---c--d-|", Cold: true}},
		Operator: "Share(source)",
		Out: []marble.Lane{
			{Name: "one subscriber", Diagram: "-a--b---c--d-|"},
			{Name: "a later one", Diagram: "--------c--d-|"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		shared := rover.Share(in[0])
		m.ExpectSubscriptions(in[0]).ToBe("^------------!")
		return []rxgo.Observable{shared, later(6*marble.DefaultFrame, shared)}
	}, ""},

	"partition": {marble.Figure{
		Title:    "Partition",
		In:       []marble.Lane{{Name: "source", Diagram: "-d--c--b--a--e-|", Values: numerals}},
		Operator: "Partition(source, even)",
		Out: []marble.Lane{
			{Name: "yes", Diagram: "----c-----a--e-|", Values: numerals},
			{Name: "no", Diagram: "-d-----b-------|", Values: numerals}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		yes, no := rover.Partition(in[0], func(v any) bool { return v.(int)%2 == 0 })
		return []rxgo.Observable{yes, no}
	}, ""},

	"accept": {marble.Figure{
		Title:    "Accept",
		In:       []marble.Lane{{Name: "offered", Diagram: "-a-b--c--d-----|", Values: busy}},
		Operator: "Accept(connections, SlotBelow(10))",
		Out: []marble.Lane{
			{Name: "accepted", Diagram: "-a----c--------|", Values: busy},
			{Name: "closed", Diagram: "---b-----d", Values: busy}},
		Frame: time.Second,
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		connections, closed := offers(m, in[0])
		return []rxgo.Observable{kept(m, rover.Accept(connections, rover.SlotBelow(10))), closed}
	}, ""},

	"slot-below": {marble.Figure{
		Title:    "Filter, by slot",
		In:       []marble.Lane{{Name: "offered", Diagram: "-a-b--c--d-----|", Values: busy}},
		Operator: "connections.Filter(SlotBelow(10))",
		Out: []marble.Lane{
			{Name: "accepted", Diagram: "-a----c--------|", Values: busy},
			{Name: "closed, after 5 s", Diagram: "--------b-----d", Values: busy}},
		Frame: time.Second,
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		connections, closed := offers(m, in[0])
		return []rxgo.Observable{kept(m, connections.Filter(rover.SlotBelow(10))), closed}
	}, ""},

	"events": {marble.Figure{
		Title:    "Events",
		In:       []marble.Lane{{Name: "source", Diagram: "-a--b---c--d-|"}},
		Operator: "for v, err := range Events[string](ctx, source)",
		Out:      []marble.Lane{{Name: "the loop, until c", Diagram: "-a--b---(c|)"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		m.ExpectSubscriptions(in[0]).ToBe("^-------!")
		return []rxgo.Observable{hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
			return func(yield func(rxgo.Item) bool) {
				for v, err := range rover.Events[string](ctx, in[0]) {
					if err != nil || !yield(rxgo.Of(v)) || v == "c" {
						break
					}
				}
			}
		}, nil)}
	}, ""},

	"connections": {marble.Figure{
		Title: "Connections: a slot line, whole, in two pieces, late",
		In: []marble.Lane{
			{Name: "ticks", Diagram: "-t-t----t----", Values: ticks},
			{Name: "1st dial", Diagram: "-l", Values: says},
			{Name: "2nd dial", Diagram: "----1-r", Values: says},
			{Name: "3rd dial", Diagram: "----------m", Values: says}},
		Operator: "stream.Connections()",
		Out:      []marble.Lane{{Diagram: "-a----b---c--|", Values: marble.Values{"a": 3, "b": 12, "c": 7}}},
		Frame:    time.Second,
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{kit.DeclinedSlots(kit.Roving(m, "-------------|", serving(m, in[1:]), rover.WithTicks(in[0])).Connections())}
	}, ""},

	"unreachable": {marble.Figure{
		Title: "Unreachable: refused, closed too early, silent for 5 s",
		In: []marble.Lane{
			{Name: "ticks", Diagram: "-t-t--t-------", Values: ticks},
			{Name: "1st dial", Diagram: "-#"},
			{Name: "2nd dial", Diagram: "----1|"},
			{Name: "3rd dial", Diagram: "------"}},
		Operator: "stream.Unreachable()",
		Out: []marble.Lane{{Diagram: "-r---e-----t-|", Values: marble.Values{
			"r": "connection refused", "e": "unexpected EOF", "t": "i/o timeout"}}},
		Frame: time.Second,
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		s := kit.Roving(m, "-------------|", serving(m, in[1:]), rover.WithTicks(in[0]))
		return []rxgo.Observable{causesOf(s.Unreachable())}
	}, ""},

	// The first dial is for the ticks that found no server: it is made when one comes.
	"errors": {marble.Figure{
		Title: "Errors: no servers, nonsense, busy",
		In: []marble.Lane{
			{Name: "servers", Diagram: "0--m-------0-", Values: sets},
			{Name: "ticks", Diagram: "-tt----t-t--t-", Values: ticks},
			{Name: "1st dial", Diagram: "-----h", Values: says},
			{Name: "2nd dial", Diagram: "----------l", Values: says}},
		Operator: "stream.Errors()",
		Out: []marble.Lane{{Diagram: "-n---p---b--n-|", Values: marble.Values{
			"n": "no servers to dial", "p": "not a slot line", "b": "too many attempts in flight"}}},
		Frame: time.Second,
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		s := kit.Roving(m, "--------------|", serving(m, in[2:]), rover.WithMaxInFlight(1),
			rover.WithServerSets(in[0].Map(set)), rover.WithTicks(in[1]))
		return []rxgo.Observable{causesOf(s.Errors())}
	}, ""},

	"rover": {marble.Figure{
		Title: "A rover, its servers, its streams",
		In: []marble.Lane{
			{Name: "servers", Diagram: "m---n-----0--", Values: sets},
			{Name: "ticks", Diagram: "-t-t-t--t--t-", Values: ticks},
			{Name: "x says", Diagram: "-l-h", Values: says},
			{Name: "y says", Diagram: "------s--|", Values: says}},
		Operator: "rover.New(WithServerSets(servers), WithTicks(ticks))",
		Out: []marble.Lane{
			{Name: "Connections", Diagram: "-a----b------|", Values: marble.Values{"a": 3, "b": 12}},
			{Name: "Unreachable", Diagram: "---------e---|", Values: marble.Values{"e": "unexpected EOF"}},
			{Name: "Errors", Diagram: "---p-------n-|", Values: marble.Values{"p": "not a slot line", "n": "no servers to dial"}}},
		Frame: time.Second,
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		network := serving(m, in[2:3])
		network.Serve(kit.B.Addr(), in[3])
		s := kit.Roving(m, "-------------|", network, rover.WithServerSets(in[0].Map(set)), rover.WithTicks(in[1]))
		return []rxgo.Observable{kit.DeclinedSlots(s.Connections()), causesOf(s.Unreachable()), causesOf(s.Errors())}
	}, ""},
}

var (
	ticks = marble.Values{"t": "•"}
	says  = marble.Values{"l": 3, "m": 7, "s": 12, "1": "1", "r": "2\r\n", "h": "HELLO"} // a number is a slot line
	sets  = marble.Values{"0": "{ }", "m": "{x}", "n": "{y}"}

	numerals = marble.Values{"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}
	busy     = marble.Values{"a": 3, "b": 12, "c": 7, "d": 15}
)

func concat(_ context.Context, v, latest any) (any, error) { return v.(string) + latest.(string), nil }

// later subscribes after a while.
func later(wait time.Duration, o rxgo.Observable) rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		return func(yield func(rxgo.Item) bool) {
			select {
			case <-time.After(wait):
				hot.Items(ctx, o)(yield)
			case <-ctx.Done():
			}
		}
	}, nil)
}

// offers is a rover that finds the slots of a diagram, each when the diagram
// has it, until that ends; and the slots of the sockets that were closed.
func offers(m *marble.M, slots *marble.Source) (connections, closed rxgo.Observable) {
	network := rovertest.NewDialer(m)
	var answers []*marble.Source
	var found []any
	var end time.Duration
	for _, e := range slots.Diagram().Events {
		if e.Kind == marble.Next {
			found = append(found, e.Value)
			answers = append(answers, m.Cold("s", marble.Values{"s": e.Value}))
		}
		end = e.At
	}
	network.Serve(kit.A.Addr(), answers...)
	closings := hot.NewSubject()
	s := kit.Rove(m, rover.WithTicks(slots), rover.WithDialer(kit.DialFunc(
		func(ctx context.Context, net, address string) (net.Conn, error) {
			slot := found[0]
			found = found[1:]
			conn, err := network.DialContext(ctx, net, address)
			return &socket{conn, sync.OnceFunc(func() { closings.Publish(slot) })}, err
		})))
	m.At(0, func() { kit.Start(m, s) })
	m.At(end, s.Stop)
	return s.Connections(), closings.Observable()
}

// serving is a network of one server that answers as the sources say, one after
// the other.
func serving(m *marble.M, answers []*marble.Source) *rovertest.Dialer {
	network := rovertest.NewDialer(m)
	network.Serve(kit.A.Addr(), answers...)
	return network
}

// set is a set of servers as a picture writes it: {x} has server x.
func set(_ context.Context, v any) (any, error) {
	return map[string]map[string]rover.Server{"{ }": {}, "{x}": {"x": kit.A}, "{y}": {"y": kit.B}}[v.(string)], nil
}

// causesOf gives what errors are in the end, in a few words.
func causesOf(failures rxgo.Observable) rxgo.Observable {
	return failures.Map(func(_ context.Context, v any) (any, error) {
		err := v.(error)
		for wrapped := errors.Unwrap(err); wrapped != nil; wrapped = errors.Unwrap(err) {
			err = wrapped
		}
		return strings.TrimPrefix(err.Error(), "rover: "), nil
	})
}

// kept keeps connections for as long as the test takes.
func kept(m *marble.M, connections rxgo.Observable) rxgo.Observable {
	return connections.Map(func(_ context.Context, v any) (any, error) {
		c := v.(*rover.Connection)
		conn, err := c.Keep()
		if err == nil {
			m.Cleanup(func() { _ = conn.Close() })
		}
		return c.Slot, err
	})
}

func TestFigures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(pictureDir, "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, known := pictures[strings.TrimSuffix(filepath.Base(file), ".svg")]; !known {
			t.Errorf("%s is of no figure: remove it", file)
		}
	}
	for name, p := range pictures {
		t.Run(name, func(t *testing.T) {
			marble.Test(t, func(m *marble.M) {
				m.Figure(p.figure, func(in ...*marble.Source) []rxgo.Observable { return p.pipeline(m, in) }, marble.Window(p.until))
			})
			var got bytes.Buffer
			if err := marble.SVG(&got, p.figure); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(pictureDir, name+".svg")
			if *update && !t.Failed() {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s is out of date: go generate ./internal/lab/whole", file)
			}
		})
	}
}
