package rover_test

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

func TestBadOptionsAreErrors(t *testing.T) {
	port := func(p int) map[string]rover.Server { return map[string]rover.Server{"a": {Host: "h", Port: p}} }
	host := func(h string) map[string]rover.Server { return map[string]rover.Server{"a": {Host: h, Port: 1}} }
	for want, option := range map[string]rover.Option{
		"rover: interval must be positive, got 0s":              rover.WithInterval(0),
		"rover: dial timeout must be positive, got -1s":         rover.WithDialTimeout(-time.Second),
		"rover: keep timeout must be positive, got 0s":          rover.WithKeepTimeout(0),
		"rover: max in flight must be at least 1, got 0":        rover.WithMaxInFlight(0),
		"rover: pick must not be nil":                           rover.WithPick(nil),
		"rover: dialer must not be nil":                         rover.WithDialer(nil),
		"rover: logger must not be nil":                         rover.WithLogger(nil),
		"rover: ticks must not be nil":                          rover.WithTicks(nil),
		"rover: server sets must not be nil":                    rover.WithServerSets(nil),
		`rover: server "a": port 70000 is out of range 1-65535`: rover.WithServers(port(70000)),
		`rover: server "a": port 0 is out of range 1-65535`:     rover.WithServers(port(0)),
		`rover: server "a": port -1 is out of range 1-65535`:    rover.WithServers(port(-1)),
		`rover: server "a": host is empty`:                      rover.WithServers(host("")),
		`rover: server "a": host "[::1]" must be a plain name or address, without port, path, brackets or spaces`: rover.WithServers(host("[::1]")),
		`rover: server "a": host "x y" must be a plain name or address, without port, path, brackets or spaces`:   rover.WithServers(host("x y")),
	} {
		s, err := rover.New(option)
		if s != nil || err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	two := map[string]rover.Server{"b": {}, "a": {}, "c": {Host: "h", Port: 1}}
	for range 20 {
		if _, err := rover.New(rover.WithServers(two)); err == nil || err.Error() != "rover: server \"a\": host is empty\nrover: server \"b\": host is empty" {
			t.Fatal("not all that is wrong, in the order of the ids:", err)
		}
	}
}

func TestIntervalTellsItsBadDuration(t *testing.T) {
	item := <-rover.Interval(-time.Second).Observe()
	if item.E == nil || item.E.Error() != "rover: interval must be positive, got -1s" {
		t.Error(item)
	}
}

func TestAddresses(t *testing.T) {
	for want, server := range map[string]rover.Server{
		"127.0.0.1:80":     {Host: "127.0.0.1", Port: 80},
		"[::1]:80":         {Host: "::1", Port: 80},
		"[fe80::1%lo]:80":  {Host: "fe80::1%lo", Port: 80},
		"example.org:8080": {Host: "example.org", Port: 8080},
	} {
		if server.Addr() != want || server.String() != want {
			t.Errorf("%s, want %s", server.Addr(), want)
		}
	}
}

func TestTheSetIsACopy(t *testing.T) {
	mine := maps.Clone(kit.One)
	option := rover.WithServers(mine) // which copies
	mine["b"] = rover.Server{Host: "x", Port: 1}
	s := kit.Rove(t, option)
	theirs := s.Servers()
	theirs["c"] = rover.Server{Host: "y", Port: 1}
	if got := s.Servers(); !maps.Equal(got, kit.One) {
		t.Error(got)
	}
}

func TestTheSetInForce(t *testing.T) {
	s := kit.Rove(t)
	b := rover.Server{Host: "10.0.0.2", Port: 4041}
	if err := s.AddServer("b", b); err != nil {
		t.Fatal(err)
	}
	if err := s.AddServer("a", b); err != nil { // replaces
		t.Fatal(err)
	}
	if got := s.Servers(); !maps.Equal(got, map[string]rover.Server{"a": b, "b": b}) {
		t.Error(got)
	}
	if err := s.AddServer("c", rover.Server{Host: "h", Port: 70000}); err == nil || err.Error() != `rover: server "c": port 70000 is out of range 1-65535` {
		t.Error(err)
	}
	if !s.DropServer("a") || s.DropServer("a") || s.DropServer("c") {
		t.Error("dropped what was not there, or not what was")
	}
	if got := s.Servers(); !maps.Equal(got, map[string]rover.Server{"b": b}) {
		t.Error(got)
	}
	if err := s.AddServer("", b); err == nil || err.Error() != "rover: server 10.0.0.2:4041: id must not be empty" {
		t.Error(err)
	}
	for _, odd := range []string{"__proto__", "a b", "\x00"} {
		if err := s.AddServer(odd, b); err != nil || s.Servers()[odd] != b || !s.DropServer(odd) {
			t.Errorf("id %q: %v", odd, err)
		}
	}
}

// A source of sets may do as it likes; what is no good leaves the last set.
func TestSourcesOfSets(t *testing.T) {
	good := map[string]rover.Server{"good": {Host: "10.0.0.9", Port: 9}}
	for name, test := range map[string]struct {
		source  func() rxgo.Observable // made in the bubble
		want    []string               // on Errors
		inForce map[string]rover.Server
	}{
		"Just":              {func() rxgo.Observable { return rxgo.Just(good)() }, nil, good},
		"one after another": {func() rxgo.Observable { return rxgo.Just(kit.One, good)() }, nil, good},
		"ends with an error": {func() rxgo.Observable { return rxgo.Just(good, kit.ErrOdd)() },
			[]string{"rover: server sets failed, the last one stays: odd"}, good},
		"bad ones are left out": {func() rxgo.Observable {
			return rxgo.Just(good, map[string]rover.Server{"x": {Host: "h"}, "b": kit.B, "": kit.A, "y": {Port: 1}})()
		}, []string{
			"rover: server 10.0.0.1:4040: id must not be empty",
			`rover: server "x": port 0 is out of range 1-65535`,
			`rover: server "y": host is empty`,
		}, map[string]rover.Server{"b": kit.B}},
		"in the place of a bad one stays what was there": {func() rxgo.Observable {
			return rxgo.Just(good, map[string]rover.Server{"good": {Host: "h"}, "b": kit.B})()
		}, []string{`rover: server "good": port 0 is out of range 1-65535`}, map[string]rover.Server{"good": good["good"], "b": kit.B}},
		"nothing but a bad one": {func() rxgo.Observable { return rxgo.Just(good, map[string]rover.Server{"x": {Host: "h"}})() },
			[]string{`rover: server "x": port 0 is out of range 1-65535`}, map[string]rover.Server{}},
		"something else": {func() rxgo.Observable { return rxgo.Just(good, 7, map[string]int{})() }, []string{
			"rover: server set ignored, the last one stays: got int, want map[string]rover.Server",
			"rover: server set ignored, the last one stays: got map[string]int, want map[string]rover.Server"}, good},
		"never": {func() rxgo.Observable { return rxgo.Never() }, nil, kit.One},
		"empty": {func() rxgo.Observable { return rxgo.Empty() }, nil, kit.One},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := kit.Rove(t, rover.WithServerSets(test.source()), rover.WithTicks(rxgo.Never()))
				failures := kit.Watch[error](s.Errors())
				kit.Start(t, s)
				synctest.Wait()
				if got := s.Servers(); !maps.Equal(got, test.inForce) {
					t.Errorf("in force: %v", got)
				}
				var reported []string
				for _, err := range failures.Seen() {
					reported = append(reported, err.Error())
				}
				if len(reported) != len(test.want) {
					t.Fatalf("reported %q", reported)
				}
				for i := range reported {
					if reported[i] != test.want[i] {
						t.Errorf("reported %s\nwant %s", reported[i], test.want[i])
					}
				}
			})
		})
	}
}

func TestASubjectOfSets(t *testing.T) {
	bubble(t, func(t *testing.T, _ *rover.Stream, g *kit.SlotDialer) {
		sets := hot.NewSubject(hot.WithLatest())
		sets.Publish(map[string]rover.Server{}) // before Start: the latest counts
		s := kit.Rove(t, rover.WithServerSets(sets.Observable()), rover.WithDialer(g))
		none := kit.Watch[error](s.Errors())
		kit.Start(t, s)
		time.Sleep(1500 * time.Millisecond)
		if all := none.Seen(); len(all) != 1 || all[0] != rover.ErrNoServers { // once until there is one
			t.Errorf("emitted %v", all)
		}
		wantStats(t, s, rover.Stats{NoServers: 1, Owed: 1}) // the tick of 1 s has taken the place of the first one's
		sets.Publish(kit.One)
		synctest.Wait() // it would take the place of what is added before
		if err := s.AddServer("b", rover.Server{Host: "10.0.0.3", Port: 1}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantStats(t, s, rover.Stats{NoServers: 1, Attempts: 1, Connections: 1, Open: 1}) // the owed tick is paid
		time.Sleep(time.Second)
		wantStats(t, s, rover.Stats{NoServers: 1, Attempts: 2, Connections: 2, Open: 2})
		sets.Complete()
		time.Sleep(time.Second)
		if n := s.Stats(); n.Connections != 3 {
			t.Errorf("the source's end ended more: %+v", n)
		}
		s.Stop()
	})
}

// A host that has its port in it is refused by name, not at every dial.
func TestAHostWithAPort(t *testing.T) {
	s := kit.Rove(t)
	for _, host := range []string{"127.0.0.1:4040", "localhost:4040", "a/b", "http://a"} {
		if err := s.AddServer("a", rover.Server{Host: host, Port: 1}); err == nil {
			t.Errorf("host %q is taken: dials %s", host, s.Servers()["a"].Addr())
		}
	}
}
