package rover_test

import (
	"context"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/marble"
	"github.com/callosum-go/rover/rovertest"
	"github.com/reactivex/rxgo/v2"
)

// The whole stream, as diagrams. A character is a second, a capital letter a
// slot, A is 0: the server "--D" gives slot 3 two seconds after the dial. At one
// instant a tick of the interval comes first, then what the test does, then what
// sources and servers say, in the order in which the test made them.

// slotted has slots and errors.
var slotted = marble.Values{
	"A": 0, "B": 1, "C": 2, "D": 3, "E": 4, "F": 5, "G": 6, "H": 7,
	"n": rover.ErrNoServers, "b": rover.ErrBusy, "p": rover.ErrProtocol,
	"r": syscall.ECONNREFUSED, "x": syscall.ECONNRESET, "e": io.ErrUnexpectedEOF, "t": os.ErrDeadlineExceeded,
}

// inSeconds runs a test whose diagrams' characters are seconds.
func inSeconds(t *testing.T, f func(m *marble.M, network *rovertest.Dialer)) {
	marble.Test(t, func(m *marble.M) {
		m.Frame(time.Second)
		f(m, rovertest.NewDialer(m))
	})
}

// textsOf gives what errors say.
func textsOf(failures rxgo.Observable) rxgo.Observable {
	return failures.Map(func(_ context.Context, v any) (any, error) { return v.(error).Error(), nil })
}

// streams expects a diagram of each of a rover's three.
func streams(m *marble.M, s *rover.Stream, connections, unreachable, failures string) {
	m.Helper()
	m.Expect(kit.DeclinedSlots(s.Connections())).ToBe(connections, slotted)
	m.Expect(s.Unreachable()).ToBe(unreachable, slotted)
	m.Expect(s.Errors()).ToBe(failures, slotted)
}

func TestTicksAreOnTheBeat(t *testing.T) {
	for name, test := range map[string]struct{ every, server, want string }{
		"at 0, 1 s, 2 s":        {"-|", "D", "DDDD|"},
		"every 2 s":             {"--|", "D", "D-D-|"},
		"every 1.5 s":           {"1500ms |", "D", "[D] 1500ms [D] 1500ms [D] 1s |"},
		"slow answers lag":      {"-|", "--D", "--DD|"},
		"slower than the timer": {"-|", "1500ms D", "1500ms [D] 1s [D] 1s [D] 500ms |"},
	} {
		t.Run(name, func(t *testing.T) {
			inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
				network.Serve(kit.A.Addr(), m.Cold(test.server, slotted))
				s := kit.Roving(m, "----|", network, rover.WithInterval(m.Time(test.every)))
				streams(m, s, test.want, "----|", "----|")
			})
		})
	}
}

// What servers do, and which stream emits it: one dial at 0, the timeout is 5 s.
func TestWhatServersDo(t *testing.T) {
	pieces := marble.Values{"1": "1", "3": "3", "C": "\r", "L": "\n", "B": "\r\n", "l": "3\r\n", "h": "3\r\nHELLO", "H": "HELLO", "_": ""}
	for name, test := range map[string]struct{ server, connections, unreachable, failures string }{
		"says its slot":               {"l", "D-----|", "------|", "------|"},
		"takes its time":              {"----l", "----D-|", "------|", "------|"},
		"says more":                   {"h", "D-----|", "------|", "------|"},
		"digit, CR LF":                {"-3-B", "---D--|", "------|", "------|"},
		"digit, CR, LF":               {"-3C-L", "----D-|", "------|", "------|"},
		"nonsense":                    {"-H", "------|", "------|", "-p----|"},
		"nonsense in the middle":      {"-1-H", "------|", "------|", "---p--|"},
		"an empty line":               {"B", "------|", "------|", "p-----|"},
		"a lone CR":                   {"-1C-1", "------|", "------|", "----p-|"},
		"refuses":                     {"#", "------|", "r-----|", "------|"},
		"refuses late":                {"--#", "------|", "--r---|", "------|"},
		"closes":                      {"--|", "------|", "--e---|", "------|"},
		"closes in mid-line":          {"-1-C|", "------|", "----e-|", "------|"},
		"resets":                      {"_-#", "------|", "--x---|", "------|"},
		"resets in mid-line":          {"-1-#", "------|", "---x--|", "------|"},
		"is silent":                   {"", "------|", "-----t|", "------|"},
		"trickles":                    {"-1-1-1-1", "------|", "-----t|", "------|"},
		"a moment before the timeout": {"4999ms l", "4999ms [D] 1001ms |", "------|", "------|"},
		"refuses a moment before it":  {"4999ms #", "------|", "4999ms [r] 1001ms |", "------|"},
		"is too late by nothing":      {"-----l", "------|", "-----t|", "------|"},
	} {
		t.Run(name, func(t *testing.T) {
			inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
				network.Serve(kit.A.Addr(), m.Cold(test.server, pieces))
				s := kit.Roving(m, "------|", network, rover.WithInterval(time.Hour))
				streams(m, s, test.connections, test.unreachable, test.failures)
			})
		})
	}
}

func TestAllThreeStreams(t *testing.T) {
	inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
		network.Serve(kit.A.Addr(),
			m.Cold("D", slotted), m.Cold("#"), m.Cold("h", marble.Values{"h": "HELLO"}), m.Cold("-H", slotted), m.Cold("|"))
		s := kit.Roving(m, "------|", network)
		streams(m, s, "D---H-|", "-r--[e]-e|", "--p---|") // the dial of 3 s is answered at 4 s
	})
}

// Answers come when they come: a slow one does not hold up the next.
func TestAnswersOvertake(t *testing.T) {
	inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
		network.Serve(kit.A.Addr(), m.Cold("---B", slotted), m.Cold("--C", slotted), m.Cold("D", slotted), m.Cold("--E", slotted))
		s := kit.Roving(m, "-----|", network)
		m.Expect(kit.DeclinedSlots(s.Connections()), marble.AnyOrder()).ToBe("--D[BC]--|", slotted)
	})
}

func TestNoMoreThanMaxInFlight(t *testing.T) {
	inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
		slow := m.Cold("--D", slotted)
		network.Serve(kit.A.Addr(), slow)
		s := kit.Roving(m, "------|", network, rover.WithMaxInFlight(1))
		streams(m, s, "--D--D|", "------|", "-bb-bb|") // a tick comes before the answer of the same instant
		m.ExpectSubscriptions(slow).ToBe("^-!", "---^-!", "------(^!)")
	})
}

// The set of servers, from the outside: how many there are to pick from, and
// who answers.
func TestTheSetChanges(t *testing.T) {
	inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
		network.Serve(kit.A.Addr(), m.Cold("B", slotted))
		network.Serve(kit.B.Addr(), m.Cold("C", slotted))
		choices := hot.NewSubject()
		s := kit.Roving(m, "--------|", network, rover.WithServers(nil), rover.WithPick(func(n int) int {
			choices.Publish(n)
			return 0
		}))
		add := func(id string, server rover.Server) func() {
			return func() {
				if err := s.AddServer(id, server); err != nil {
					m.Error(err)
				}
			}
		}
		drop := func(id string) func() {
			return func() {
				if !s.DropServer(id) {
					m.Errorf("there is no %s to drop", id)
				}
			}
		}
		m.At(m.Time("-|"), add("x", kit.A))   // the first server
		m.At(m.Time("--|"), add("x", kit.B))  // in its place
		m.At(m.Time("---|"), add("y", kit.B)) // one more
		m.At(m.Time("----|"), drop("x"))
		m.At(m.Time("------|"), drop("y"))
		// The tick of 0 is paid by the first server's coming. At 2, 4 and 6 s the tick comes before
		// the change, and the answer after it: the attempt's server has left the set.
		streams(m, s, "-B-C-C--|", "--------|", "n------n|")
		m.Expect(choices.Observable(), marble.Window("^-------!")).ToBe("-nnnonn", marble.Values{"n": 1, "o": 2})
		m.Flush()
		wantStats(t, s, rover.Stats{NoServers: 3, Attempts: 6, Connections: 3, Declined: 3, Aborted: 3})
	})
}

func TestSetsFromASource(t *testing.T) {
	sets := marble.Values{
		"a": map[string]rover.Server{"x": kit.A}, "b": map[string]rover.Server{"x": kit.B}, "0": map[string]rover.Server{},
		"?": "what is this", "#": kit.ErrOdd,
	}
	// A tick comes before the set of its instant, and the answer after it: the attempt's server
	// has left the set then.
	for name, test := range map[string]struct{ sets, connections, failures string }{
		"replace all":                         {"a-b-0-|", "BB-C--|", "-----n|"}, // the tick of 0 comes before the set, which pays for it
		"end, and the last one stays":         {"a-b|", "BB-CCC|", "------|"},
		"fail, and the last one stays":        {"a-b-#", "BB-CCC|", "----o-|"},
		"are no sets, and the last one stays": {"a-?-b-", "BBBB-C|", "--?---|"},
		"come late":                           {"--a", "--BBBB|", "-n----|"}, // one attempt for the ticks of 0, 1 and 2 s
	} {
		t.Run(name, func(t *testing.T) {
			inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
				network.Serve(kit.A.Addr(), m.Cold("B", slotted))
				network.Serve(kit.B.Addr(), m.Cold("C", slotted))
				s := kit.Roving(m, "------|", network, rover.WithServers(nil), rover.WithServerSets(m.Hot(test.sets, sets)))
				m.Expect(kit.DeclinedSlots(s.Connections())).ToBe(test.connections, slotted)
				m.Expect(textsOf(s.Errors())).ToBe(test.failures, marble.Values{
					"n": "rover: no servers to dial",
					"o": "rover: server sets failed, the last one stays: odd",
					"?": "rover: server set ignored, the last one stays: got string, want map[string]rover.Server",
				})
			})
		})
	}
}

func TestTicksFromASource(t *testing.T) {
	for name, test := range map[string]struct{ ticks, connections, failures string }{
		"as they come":             {"-t--tt", "-D--DD-|", "-------|"},
		"end, and the rover waits": {"-t-|", "-D-----|", "-------|"},
		"fail, and it is reported": {"-t-#", "-D-----|", "---o---|"},
		"several at once":          {"-[tt]-t", "-[DD]-D----|", "-------|"},
		"none":                     {"", "-------|", "-------|"},
	} {
		t.Run(name, func(t *testing.T) {
			inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
				ticks := m.Hot(test.ticks, marble.Values{"t": "tick", "#": kit.ErrOdd})
				network.Serve(kit.A.Addr(), m.Cold("D", slotted))
				s := kit.Roving(m, "-------|", network, rover.WithTicks(ticks))
				m.Expect(kit.DeclinedSlots(s.Connections())).ToBe(test.connections, slotted)
				m.Expect(s.Errors()).ToBe(test.failures, slotted, marble.Values{"o": kit.ErrOdd})
			})
		})
	}
}

// A subscriber sees what is emitted while it is there, and what is still on offer
// when it comes; nobody takes anything away from another.
func TestSubscribersComeAndGo(t *testing.T) {
	inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
		network.Serve(kit.A.Addr(), m.Cold("B", slotted), m.Cold("C", slotted), m.Cold("D", slotted), m.Cold("E", slotted), m.Cold("F", slotted))
		s := kit.Roving(m, "-----|", network)
		slots := s.Connections().Map(func(_ context.Context, v any) (any, error) { return v.(*rover.Connection).Slot, nil })
		for window, want := range map[string]string{
			"^":      "BCDEF|",
			"^-!":    "BC",           // gone before the answer of 2 s
			"---^":   "---[DCBE]-F|", // what is open first, the newest of it first
			"-^-!":   "-[BC]-D",
			"-----^": "-----(FEDCB|)", // those who got the first at 1 s and at 3 s had 5 s from then on
		} {
			m.Expect(slots, marble.Window(window)).ToBe(want, slotted)
		}
	})
}

// How long a connection is open shows what became of its offer. The dial is at
// 0, the keep timeout 5 s, Stop at 8 s.
func TestOffersEnd(t *testing.T) {
	answer := func(connections rxgo.Observable, after time.Duration, say func(*rover.Connection)) {
		connections.ForEach(func(v any) {
			time.AfterFunc(after, func() { say(v.(*rover.Connection)) })
		}, nil, func() {})
	}
	decline := (*rover.Connection).Decline
	keep := func(c *rover.Connection) {
		if conn, err := c.Keep(); err == nil {
			time.AfterFunc(4*time.Second, func() { _ = conn.Close() })
		}
	}
	for name, test := range map[string]struct {
		open   string
		fate   rover.Stats
		listen func(m *marble.M, connections rxgo.Observable)
	}{
		"nobody comes": {"^----!", rover.Stats{Expired: 1},
			func(*marble.M, rxgo.Observable) {}},
		"a Filter says nothing": {"^----!", rover.Stats{Expired: 1}, func(m *marble.M, connections rxgo.Observable) {
			m.Expect(kit.DeclinedSlots(connections.Filter(rover.SlotBelow(3)))).ToBe("--------|")
		}},
		"Accept says no": {"(^!)", rover.Stats{Declined: 1}, func(m *marble.M, connections rxgo.Observable) {
			m.Expect(kit.DeclinedSlots(rover.Accept(connections, rover.SlotBelow(3)))).ToBe("--------|")
		}},
		"all say no, one at 1 s and one at 3 s": {"^--!", rover.Stats{Declined: 1}, func(_ *marble.M, connections rxgo.Observable) {
			answer(connections, time.Second, decline)
			answer(connections, 3*time.Second, decline)
		}},
		"one of two says no": {"^----!", rover.Stats{Expired: 1}, func(_ *marble.M, connections rxgo.Observable) {
			answer(connections, time.Second, decline)
			answer(connections, time.Hour, decline)
		}},
		"the only one leaves at 2 s, and has not read": {"^-!", rover.Stats{Declined: 1, Left: 1}, func(m *marble.M, connections rxgo.Observable) {
			ctx, cancel := context.WithCancel(m.Context())
			connections.Filter(all).Observe(rxgo.WithContext(ctx))
			m.At(m.Time("--|"), cancel)
		}},
		"one keeps at 2 s what another declines": {"^-----!", rover.Stats{Kept: 1}, func(_ *marble.M, connections rxgo.Observable) {
			answer(connections, time.Second, decline)
			answer(connections, 2*time.Second, keep)
		}},
		"it is too late to keep at 6 s": {"^----!", rover.Stats{Expired: 1}, func(_ *marble.M, connections rxgo.Observable) {
			answer(connections, 6*time.Second, keep)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
				server := m.Cold("D", slotted)
				network.Serve(kit.A.Addr(), server)
				s := kit.Roving(m, "--------|", network, rover.WithInterval(time.Hour))
				test.listen(m, s.Connections())
				m.ExpectSubscriptions(server).ToBe(test.open)
				m.Flush()
				want := test.fate
				want.Attempts, want.Connections = 1, 1
				wantStats(t, s, want)
			})
		})
	}
}

// Stop, or the context's end, completes the streams and closes what is open:
// offers, and attempts, of which nothing is reported.
func TestStopInTheMiddle(t *testing.T) {
	for name, end := range map[string]func(m *marble.M, s *rover.Stream, cancel func()){
		"Stop":          func(m *marble.M, s *rover.Stream, _ func()) { m.At(m.Time("---|"), s.Stop) },
		"the context's": func(m *marble.M, _ *rover.Stream, cancel func()) { m.At(m.Time("---|"), cancel) },
	} {
		t.Run(name, func(t *testing.T) {
			inSeconds(t, func(m *marble.M, network *rovertest.Dialer) {
				quick, slow, refuses := m.Cold("D", slotted), m.Cold("---E", slotted), m.Cold("---#")
				network.Serve(kit.A.Addr(), quick, slow, refuses)
				s := kit.Rove(m, rover.WithDialer(network))
				ctx, cancel := context.WithCancel(m.Context())
				m.At(0, func() {
					if err := s.Start(ctx); err != nil {
						m.Error(err)
					}
				})
				end(m, s, cancel)
				m.Expect(s.Connections().Map(func(context.Context, any) (any, error) { return 3, nil })).ToBe("D--|", slotted)
				m.Expect(s.Unreachable()).ToBe("---|")
				m.Expect(s.Errors()).ToBe("---|")
				m.ExpectSubscriptions(quick).ToBe("^--!")
				m.ExpectSubscriptions(slow).ToBe("-^-!")
				m.ExpectSubscriptions(refuses).ToBe("--^!", "---(^!)") // the tick of 3 s comes first
				m.Flush()
				wantStats(t, s, rover.Stats{Attempts: 4, Connections: 1, Declined: 1, Aborted: 3})
			})
		})
	}
}
