package discover

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/miekg/dns"
	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
)

// DNS is the set of all addresses of a name, A and AAAA records, with one port, from 1 to
// 65535. Ids are address:port. The answer is good for the smallest of its TTLs, and
// that there is no such name for as long as RFC 2308 says. Both families count or
// none: a name server that fails for one has not answered.
//
// The name is looked for like any other on the machine, with the name servers and the
// search list of /etc/resolv.conf, or with WithNameserver: then it is taken as it is.
// /etc/hosts is not read.
func DNS(name string, port int, opts ...Option) rxgo.Observable {
	if port < 1 || port > 65535 {
		return wrong(fmt.Errorf("discover: dns %s: port must be from 1 to 65535, got %d", name, port))
	}
	if err := checkName(name); err != nil {
		return wrong(fmt.Errorf("discover: dns: %w", err))
	}
	s, err := configure(opts)
	if err != nil {
		return wrong(err)
	}
	return Watch(fmt.Sprintf("dns %s:%d", name, port), func(context.Context, func()) Look {
		return func(ctx context.Context) (Answer, error) {
			r, err := newResolver(s)
			if err != nil {
				return Answer{}, err
			}
			found, err := r.search(ctx, name, r.addresses)
			a := Answer{Servers: map[string]rover.Server{}, Good: found.ttl}
			for _, address := range found.addresses {
				add(a.Servers, address, port)
			}
			return a, err
		}
	}, opts...)
}

// add adds a server whose id is its address.
func add(servers map[string]rover.Server, address netip.Addr, port int) (id string) {
	host := address.String()
	id = net.JoinHostPort(host, strconv.Itoa(port))
	servers[id] = rover.Server{Host: host, Port: port}
	return id
}

func checkName(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("%q must be a name, not an address", name)
	}
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return fmt.Errorf("%q is no domain name", name)
	}
	return nil
}

// A finding is what was found of a name.
type finding struct {
	addresses []netip.Addr
	services  []*dns.SRV
	glue      map[string][]netip.Addr // addresses that came with the services
	ttl       time.Duration
	exists    bool
}

func (f *finding) goodFor(seconds uint32) {
	f.ttl = min(f.ttl, time.Duration(seconds)*time.Second)
}

// read adds what an answer says.
func (f *finding) read(m *dns.Msg) {
	for _, record := range m.Answer {
		f.goodFor(record.Header().Ttl)
		switch r := record.(type) {
		case *dns.SRV:
			f.exists = true
			f.services = append(f.services, r)
		default:
			if address, ok := addressOf(r); ok {
				f.exists = true
				f.addresses = append(f.addresses, address)
			}
		}
	}
	for _, record := range m.Extra {
		if address, ok := addressOf(record); ok {
			f.glue[record.Header().Name] = append(f.glue[record.Header().Name], address)
		}
	}
	for _, record := range m.Ns { // how long a no is good for: RFC 2308, section 5
		if soa, ok := record.(*dns.SOA); ok && !f.exists {
			f.goodFor(min(soa.Minttl, soa.Hdr.Ttl))
		}
	}
}

func addressOf(record dns.RR) (address netip.Addr, ok bool) {
	switch r := record.(type) {
	case *dns.A:
		address, ok = netip.AddrFromSlice(r.A)
	case *dns.AAAA:
		address, ok = netip.AddrFromSlice(r.AAAA)
	}
	return address.Unmap(), ok
}

// search looks a name up with each domain of the search list, until it exists.
// What failed ends it: the name may be there.
func (r *resolver) search(ctx context.Context, name string, look func(context.Context, string) (finding, error)) (found finding, err error) {
	for _, full := range r.config.NameList(name) {
		if found, err = look(ctx, full); found.exists || err != nil {
			break
		}
	}
	return found, err
}

// addresses finds both families of a full name.
func (r *resolver) addresses(ctx context.Context, full string) (finding, error) {
	found := finding{ttl: forEver}
	type answer struct {
		m   *dns.Msg
		err error
	}
	v6 := make(chan answer, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		m, err := r.ask(ctx, full, dns.TypeAAAA)
		v6 <- answer{m, err}
	}()
	m, err := r.ask(ctx, full, dns.TypeA)
	if err != nil {
		cancel() // half an answer is none
	}
	other := <-v6
	if err == nil {
		err = other.err
	}
	if err != nil {
		return finding{}, err
	}
	found.read(m)
	found.read(other.m)
	return found, nil
}
