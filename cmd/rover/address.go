package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/callosum-go/rover"
)

// A named server is one of those to rove over.
type named struct {
	id string
	rover.Server
}

func (n named) String() string { return n.id + "=" + n.Addr() }

// parseServer reads [ID=]HOST:PORT, with an IPv6 host in brackets. The id is
// what stands before the last "=", and defaults to HOST:PORT.
func parseServer(s string) (named, error) {
	id, address := "", s
	at := strings.LastIndexByte(s, '=')
	if at >= 0 {
		id, address = s[:at], s[at+1:]
	}
	host, port, err := parseAddress(address, 1)
	switch {
	case err != nil:
		return named{}, err
	case host == "":
		return named{}, errors.New("the host is empty, want [ID=]HOST:PORT, such as a=127.0.0.1:4040")
	case at == 0:
		return named{}, fmt.Errorf("the id is empty, want ID=%s or %[1]s alone", address)
	case strings.ContainsFunc(id, unprintable):
		return named{}, fmt.Errorf("the id %q must be of printable characters, without spaces", id)
	}
	n := named{id, rover.Server{Host: host, Port: port}}
	if id == "" {
		n.id = n.Addr()
	}
	return n, nil
}

// parseAddress reads HOST:PORT, where HOST may be empty and PORT is at least
// lowest.
func parseAddress(s string, lowest int) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(s)
	if err != nil {
		if ip, wrong := netip.ParseAddr(s); wrong == nil && ip.Is6() {
			return "", 0, fmt.Errorf("an IPv6 address goes in brackets, with a port: [%s]:4040", s)
		}
		if wrong, ok := errors.AsType[*net.AddrError](err); ok {
			err = errors.New(wrong.Err)
		}
		return "", 0, fmt.Errorf("%w, want HOST:PORT, such as 127.0.0.1:4040 or [::1]:4040", err)
	}
	if ip, wrong := netip.ParseAddr(host); strings.HasPrefix(s, "[") && (wrong != nil || !ip.Is6()) {
		return "", 0, fmt.Errorf("brackets are for an IPv6 address, got %q in them", host)
	}
	if strings.ContainsFunc(host, unprintable) || strings.ContainsAny(host, "/[]") {
		return "", 0, fmt.Errorf("the host %q must be a name or an address, without spaces, slashes or brackets", host)
	}
	port, err = strconv.Atoi(digits)
	if err != nil || port < lowest || port > 65535 {
		return "", 0, fmt.Errorf("the port must be a number from %d to 65535, got %q", lowest, digits)
	}
	return host, port, nil
}

// unprintable is true for a character that could spoil a line of output.
func unprintable(r rune) bool {
	return !unicode.IsPrint(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
}

// A serverList is the value of a repeated --server.
type serverList []named

// add reads one server, or several with commas between them.
func (l *serverList) add(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		n, err := parseServer(part)
		if err != nil {
			return err
		}
		if err := l.addOne(n); err != nil {
			return err
		}
	}
	return nil
}

func (l *serverList) addOne(n named) error {
	if slices.ContainsFunc(*l, func(other named) bool { return other.id == n.id }) {
		return fmt.Errorf("the id %q is given twice, want another one: ID=HOST:PORT", n.id)
	}
	if slices.ContainsFunc(*l, func(other named) bool { return other.Server == n.Server }) {
		return fmt.Errorf("the server %v is given twice, once is right", n.Server)
	}
	*l = append(*l, n)
	return nil
}

func (l serverList) set() map[string]rover.Server {
	set := make(map[string]rover.Server, len(l))
	for _, n := range l {
		set[n.id] = n.Server
	}
	return set
}
