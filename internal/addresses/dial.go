// Package addresses dials a name as what it is: several addresses, each a
// server of its own. net.Dialer always begins with the first one that the
// resolver gives, and returns the first one's error.
package addresses

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// Dial connects to one of the addresses of a name, or to an IP address.
// network is "tcp", "tcp4" or "tcp6". The dialer dials each address, with all
// its fields but these, which are for the name as a whole and mean what they
// mean in package net: Resolver, FallbackDelay, Timeout, Deadline, and the
// family of LocalAddr.
//
// The families come in the resolver's order (RFC 6724), the addresses of one
// family in random order. If there are both, they race (RFC 8305, as net.Dialer
// does it), and the loser's socket is closed. The time left is shared by the
// addresses left, 2 s each at least.
//
// The error is the *net.OpError of the address that failed, or an *Error of
// several. Its Timeout is true if the time of the name ran out. Dial leaves no
// goroutine of its own behind, which means that it waits for a Control function.
// A lookup that ctx cuts off may go on for a while in package net.
func Dial(ctx context.Context, d *net.Dialer, network, host string, port int) (net.Conn, error) {
	n := name{
		lookup:  d.Resolver.LookupIPAddr,
		dial:    d.DialContext,
		shuffle: rand.Shuffle,
		network: network,
		local:   d.LocalAddr,
		delay:   fallbackDelay(d),
	}
	ctx, cancel := limited(ctx, d, time.Now())
	defer cancel()
	return n.connect(ctx, host, port)
}

// A name is how to find its addresses and how to dial them.
type name struct {
	lookup  func(ctx context.Context, host string) ([]net.IPAddr, error)
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	shuffle func(n int, swap func(i, j int))
	network string
	local   net.Addr
	delay   time.Duration // before the other family joins; negative: it does not race
}

func fallbackDelay(d *net.Dialer) time.Duration {
	if d.FallbackDelay == 0 {
		return 300 * time.Millisecond
	}
	return d.FallbackDelay
}

// limited is the context of the whole, as the dialer has it for each address.
func limited(ctx context.Context, d *net.Dialer, now time.Time) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	sooner := func(t time.Time) {
		if !limited || t.Before(end) {
			end, limited = t, true
		}
	}
	if !d.Deadline.IsZero() {
		sooner(d.Deadline)
	}
	if d.Timeout != 0 {
		sooner(now.Add(d.Timeout))
	}
	if !limited {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end)
}

func (n *name) connect(ctx context.Context, host string, port int) (net.Conn, error) {
	found, err := n.find(ctx, host, port)
	if err != nil {
		return nil, failure(ctx, []error{&net.OpError{Op: "dial", Net: n.network, Source: n.local, Err: err}})
	}
	conn, errs := n.race(ctx, n.lanes(found))
	if conn == nil {
		return nil, failure(ctx, errs)
	}
	return conn, nil
}

// find looks the name up and puts its addresses in the order in which they are
// dialed.
func (n *name) find(ctx context.Context, host string, port int) ([]netip.AddrPort, error) {
	if n.network != "tcp" && n.network != "tcp4" && n.network != "tcp6" {
		return nil, net.UnknownNetworkError(n.network)
	}
	ips, err := n.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	found := make([]netip.AddrPort, 0, len(ips))
	for _, ip := range ips {
		addr, ok := netip.AddrFromSlice(ip.IP)
		if addr = addr.Unmap(); ok && n.suits(addr) {
			found = append(found, netip.AddrPortFrom(addr.WithZone(ip.Zone), uint16(port)))
		}
	}
	if len(found) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	n.mix(found)
	return found, nil
}

// suits says whether the network and the local address are of this family.
func (n *name) suits(addr netip.Addr) bool {
	if n.network == "tcp4" && !addr.Is4() || n.network == "tcp6" && addr.Is4() {
		return false
	}
	local, ok := n.local.(*net.TCPAddr)
	if !ok || local == nil || local.IP == nil || local.IP.IsUnspecified() || addr.IsUnspecified() {
		return true
	}
	return addr.Is4() == (local.IP.To4() != nil)
}

// mix shuffles each run of one family, so that the order of families stays.
func (n *name) mix(found []netip.AddrPort) {
	for len(found) > 0 {
		run := 1
		for run < len(found) && isIPv4(found[run]) == isIPv4(found[0]) {
			run++
		}
		n.shuffle(run, func(i, j int) { found[i], found[j] = found[j], found[i] })
		found = found[run:]
	}
}

func isIPv4(addr netip.AddrPort) bool { return addr.Addr().Is4() }
