package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/miekg/dns"
	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
)

// targets is how many names are looked up at once.
const targets = 8

// SRV is the set that a service's SRV records name (RFC 2782), such as
// _slot._tcp.example.org: those of the first priority, or all of them
// WithPriorities. Ids are address:port; weight and priority go to WithAttributes. The
// addresses of the targets are looked up, unless they came along for all of them.
// That the only target is "." means that there is no such service.
//
// For the rest it is as DNS.
func SRV(name string, opts ...Option) rxgo.Observable {
	if err := checkName(name); err != nil {
		return wrong(fmt.Errorf("discover: srv: %w", err))
	}
	s, err := configure(opts)
	if err != nil {
		return wrong(err)
	}
	return Watch("srv "+name, func(context.Context, func()) Look {
		return func(ctx context.Context) (Answer, error) {
			r, err := newResolver(s)
			if err != nil {
				return Answer{}, err
			}
			found, err := r.search(ctx, name, r.services)
			if err != nil {
				return Answer{}, err
			}
			return r.locate(ctx, found, s.priorities)
		}
	}, opts...)
}

func (r *resolver) services(ctx context.Context, full string) (finding, error) {
	found := finding{ttl: forEver, glue: map[string][]netip.Addr{}}
	m, err := r.ask(ctx, full, dns.TypeSRV)
	if err == nil {
		found.read(m)
	}
	return found, err
}

// locate makes servers of services.
func (r *resolver) locate(ctx context.Context, found finding, all bool) (Answer, error) {
	services := slices.DeleteFunc(found.services, func(s *dns.SRV) bool { return s.Target == "." })
	slices.SortStableFunc(services, func(a, b *dns.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight))
	})
	if !all {
		services = slices.DeleteFunc(services, func(s *dns.SRV) bool { return s.Priority != services[0].Priority })
	}
	where, err := r.addressesOf(ctx, services, &found)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Servers: map[string]rover.Server{}, Known: map[string]Attribute{}, Good: found.ttl}
	var missing []error
	for _, s := range services {
		if len(where[s.Target]) == 0 {
			missing = append(missing, fmt.Errorf("target %s has no address", s.Target))
		}
		for _, address := range where[s.Target] {
			id := add(a.Servers, address, int(s.Port))
			if _, twice := a.Known[id]; !twice { // the first has the better priority
				a.Known[id] = Attribute{Weight: float64(s.Weight), Priority: int(s.Priority)}
			}
		}
	}
	a.Wrong = errors.Join(missing...)
	return a, nil
}

// addressesOf returns the addresses of each target: those that came along if no
// target lacks some, for an answer drops them where it lacks room.
func (r *resolver) addressesOf(ctx context.Context, services []*dns.SRV, found *finding) (map[string][]netip.Addr, error) {
	if !slices.ContainsFunc(services, func(s *dns.SRV) bool { return len(found.glue[s.Target]) == 0 }) {
		return found.glue, nil
	}
	type answer struct {
		target string
		finding
		err error
	}
	where := map[string][]netip.Addr{}
	for _, s := range services {
		where[s.Target] = nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers, turns := make(chan answer), make(chan struct{}, targets)
	for target := range where {
		go func() {
			turns <- struct{}{}
			f, err := r.addresses(ctx, target)
			<-turns
			answers <- answer{target, f, err}
		}()
	}
	var failed error
	for range len(where) { // all of them: no goroutine is left behind
		got := <-answers
		if got.err != nil && failed == nil {
			failed = got.err // half an answer is none
			cancel()
		}
		where[got.target] = got.addresses
		found.ttl = min(found.ttl, got.ttl)
	}
	return where, failed
}
