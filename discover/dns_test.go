package discover_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/lab/sources"
)

// lines are the A records of servers.
func lines(name string, servers map[string]rover.Server) (all []string) {
	for _, s := range servers {
		all = append(all, name+" 1 IN A "+s.Host)
	}
	return all
}

// half answers one question and not the other.
func half(s *nameServer, kind uint16, line string) func() {
	return s.fails(func(w dns.ResponseWriter, m *dns.Msg) {
		if m.Question[0].Qtype == kind {
			m.Answer = records([]string{line}, "")
		} else {
			m.Rcode = dns.RcodeServerFailure
		}
		_ = w.WriteMsg(m)
	})
}

func TestDNSStandsTheSuite(t *testing.T) {
	sources.Run(t, func(t testing.TB) *sources.Rig {
		s := newNameServer(t)
		rig := &sources.Rig{
			Open: func(opts ...discover.Option) rxgo.Observable {
				return discover.DNS("svc.test", 4040, append(opts, discover.WithNameserver(s.addr))...)
			},
			Put:   func(servers map[string]rover.Server) { s.answer(lines("svc.test.", servers)...) },
			Fail:  s.failures(),
			Twice: func() { l := lines("svc.test.", sources.Servers(0, 3)); s.answer(append(l, l...)...) },
			Looks: s.questions,
		}
		rig.Fail["half an answer"] = half(s, dns.TypeA, "svc.test. 1 IN A 127.0.0.1")
		rig.Fail["the other half"] = half(s, dns.TypeAAAA, "svc.test. 1 IN AAAA ::1")
		return rig
	})
}

// first is the first set of a source.
func first(t testing.TB, source rxgo.Observable) map[string]rover.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	item, open := <-source.Observe(rxgo.WithContext(ctx))
	if !open || item.Error() {
		t.Fatalf("got %v, want a set", item.E)
	}
	cancel()
	return item.V.(map[string]rover.Server)
}

func TestDNSEmitsBothFamilies(t *testing.T) {
	s := newNameServer(t)
	s.answer("svc.test. 1 IN A 127.0.0.1", "svc.test. 1 IN AAAA 2001:DB8::1")
	got := first(t, discover.DNS("svc.test.", 4040, discover.WithNameserver(s.addr)))
	want := "map[127.0.0.1:4040:127.0.0.1:4040 [2001:db8::1]:4040:[2001:db8::1]:4040]"
	kit.Equal(t, "set", fmt.Sprint(got), want)
}

func TestDNSReadsByTCPWhatIsTooLarge(t *testing.T) {
	s := newNameServer(t)
	s.answer(lines("svc.test.", sources.Servers(0, 1000))...)
	kit.Equal(t, "servers", len(first(t, discover.DNS("svc.test", 4040, discover.WithNameserver(s.addr)))), 1000)
	s.mu.Lock()
	defer s.mu.Unlock()
	kit.Equal(t, "questions by TCP", s.tcp, 1)
}

// Looks follow the smallest TTL, and a no is good for what its SOA says.
func TestDNSLooksWhenTheTTLIsOver(t *testing.T) {
	s := newNameServer(t)
	s.answer("svc.test. 3600 IN A 127.0.0.1", "svc.test. 1 IN AAAA ::1")
	ctx, cancel := context.WithTimeout(context.Background(), 2500*time.Millisecond)
	defer cancel()
	for range discover.DNS("svc.test", 4040, discover.WithNameserver(s.addr), discover.WithRefresh(time.Millisecond, time.Hour)).Observe(rxgo.WithContext(ctx)) {
	}
	if n := s.questions() / 2; n < 2 || n > 3 {
		t.Errorf("%d looks in 2.5 s with a TTL of 1 s", n)
	}
}

// srv are SRV records, a target each, and the targets' addresses.
func srv(servers map[string]rover.Server) (services, addresses []string) {
	for _, s := range servers {
		target := strings.ReplaceAll(s.Host, ".", "-") + ".test."
		services = append(services, fmt.Sprintf("_slot._tcp.test. 1 IN SRV 1 5 %d %s", s.Port, target))
		addresses = append(addresses, target+" 1 IN A "+s.Host)
	}
	return services, addresses
}

func TestSRVStandsTheSuite(t *testing.T) {
	for _, glue := range []bool{false, true} {
		t.Run(fmt.Sprint("glue ", glue), func(t *testing.T) {
			sources.Run(t, func(t testing.TB) *sources.Rig {
				s := newNameServer(t)
				hosts := map[string]bool{} // their addresses stay: a look asks for services first, and then for these
				rig := &sources.Rig{
					Open: func(opts ...discover.Option) rxgo.Observable {
						return discover.SRV("_slot._tcp.test", append(opts, discover.WithNameserver(s.addr))...)
					},
					Put: func(servers map[string]rover.Server) {
						services, addresses := srv(servers)
						if glue {
							s.mu.Lock()
							s.extra = addresses
							s.mu.Unlock()
							s.answer(services...)
							return
						}
						for _, address := range addresses {
							hosts[address] = true
						}
						s.answer(slices.AppendSeq(services, maps.Keys(hosts))...)
					},
					Fail: s.failures(),
					Twice: func() {
						services, addresses := srv(sources.Servers(0, 3))
						s.answer(slices.Concat(services, addresses, services)...)
					},
					Looks: s.questions,
				}
				rig.Fail["half an answer"] = half(s, dns.TypeSRV, "_slot._tcp.test. 1 IN SRV 1 5 4040 gone.test.")
				return rig
			})
		})
	}
}

func TestSRVPrioritiesAndWeights(t *testing.T) {
	s := newNameServer(t)
	s.answer("_x._tcp.test. 1 IN SRV 2 9 1 b.test.", "_x._tcp.test. 1 IN SRV 1 3 2 a.test.", "_x._tcp.test. 1 IN SRV 1 7 3 a.test.",
		"a.test. 1 IN A 127.0.0.1", "b.test. 1 IN A 127.0.0.2", "_none._tcp.test. 1 IN SRV 0 0 0 .")
	var known discover.Attributes
	name := discover.WithNameserver(s.addr)
	kit.Equal(t, "set", fmt.Sprint(first(t, discover.SRV("_x._tcp.test", name, discover.WithAttributes(&known)))),
		"map[127.0.0.1:2:127.0.0.1:2 127.0.0.1:3:127.0.0.1:3]")
	kit.Equal(t, "attributes", fmt.Sprintf("%+v", known.All()),
		"map[127.0.0.1:2:{Weight:3 Priority:1 Zone:} 127.0.0.1:3:{Weight:7 Priority:1 Zone:}]")
	kit.Equal(t, "servers of all priorities", len(first(t, discover.SRV("_x._tcp.test", name, discover.WithPriorities()))), 3)
	kit.Equal(t, "servers of what is not offered", len(first(t, discover.SRV("_none._tcp.test", name, discover.WithEmpty(true)))), 0)
}

// A target without an address is a fault, and the others count.
func TestSRVTargetWithoutAddress(t *testing.T) {
	s := newNameServer(t)
	s.answer("_x._tcp.test. 1 IN SRV 1 1 1 a.test.", "_x._tcp.test. 1 IN SRV 1 1 2 gone.test.", "a.test. 1 IN A 127.0.0.1")
	ctx, cancel := context.WithCancel(context.Background())
	items := discover.SRV("_x._tcp.test", discover.WithNameserver(s.addr)).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
	fault, set := <-items, <-items
	cancel()
	for range items {
	}
	kit.Equal(t, "fault", fmt.Sprint(fault.E), "discover: srv _x._tcp.test: target gone.test. has no address")
	kit.Equal(t, "set", fmt.Sprint(set.V), "map[127.0.0.1:1:127.0.0.1:1]")
}
