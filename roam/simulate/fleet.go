package simulate

import (
	"fmt"
	"strconv"
	"strings"
)

// A Fleet is clients that keep connections to servers.
type Fleet struct {
	Clients int  `json:"clients"`
	Servers int  `json:"servers"`
	Max     int  `json:"max"`             // connections a client keeps
	Mixed   bool `json:"mixed,omitempty"` // clients differ: Max/4, Max/2, Max or 9/4 Max
}

// ParseFleet reads CLIENTSxSERVERSxMAX, such as 1000x100x4.
func ParseFleet(s string) (Fleet, error) {
	parts := strings.Split(s, "x")
	var n [3]int
	for i, part := range parts {
		var err error
		if i < len(n) {
			n[i], err = strconv.Atoi(part)
		}
		if err != nil || len(parts) != len(n) {
			return Fleet{}, fmt.Errorf("simulate: fleet must be CLIENTSxSERVERSxMAX, such as 1000x100x4, got %q", s)
		}
	}
	f := Fleet{Clients: n[0], Servers: n[1], Max: n[2]}
	return f, f.check()
}

// Most that a fleet may have: what is simulated has to fit into memory, 4
// bytes a client and server.
const (
	mostClients = 100_000
	mostServers = 10_000
	mostMax     = 1_000
	mostPairs   = 50_000_000
)

func (f Fleet) check() error {
	for _, part := range []struct {
		name    string
		n, most int
	}{{"clients", f.Clients, mostClients}, {"servers", f.Servers, mostServers}, {"max", f.Max, mostMax}} {
		if part.n < 1 || part.n > part.most {
			return fmt.Errorf("simulate: %s must be from 1 to %d, got %d", part.name, part.most, part.n)
		}
	}
	if f.Clients*f.Servers > mostPairs {
		return fmt.Errorf("simulate: clients × servers must be at most %d, got %d × %d", mostPairs, f.Clients, f.Servers)
	}
	return nil
}

// String returns, for example, "1000x100x4".
func (f Fleet) String() string { return fmt.Sprintf("%dx%dx%d", f.Clients, f.Servers, f.Max) }
