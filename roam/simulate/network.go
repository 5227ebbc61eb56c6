package simulate

import (
	"fmt"
	"math"
)

// A Network is what is between clients and servers, and between their clocks.
// Times are in intervals.
type Network struct {
	RTT         float64 `json:"rtt"`                   // the median round trip; clients differ, from half of it to one and a half
	Loss        float64 `json:"loss,omitempty"`        // the probability that a SYN is lost: one interval more, twice is a failure after five
	SlowClients float64 `json:"slowClients,omitempty"` // the share of clients with 20 times the round trip
	SlowServers float64 `json:"slowServers,omitempty"` // the share of servers whose line comes 0.2 late
	Drift       float64 `json:"drift,omitempty"`       // clocks differ by so much, up or down
	Together    bool    `json:"together,omitempty"`    // all clients start at one time, and their clocks beat together
	Late        float64 `json:"late,omitempty"`        // a set change reaches the clients spread over this time
}

// DefaultNetwork is 10 ms of 1 s away, with clocks that differ by 1 %.
var DefaultNetwork = Network{RTT: 0.01, Drift: 0.01}

func (n Network) check() error {
	for _, part := range []struct {
		name     string
		v, below float64
	}{
		{"rtt", n.RTT, 10}, {"loss", n.Loss, 1}, {"slow clients", n.SlowClients, 1},
		{"slow servers", n.SlowServers, 1}, {"drift", n.Drift, 1}, {"late", n.Late, 1000},
	} {
		if !(part.v >= 0 && part.v <= part.below) || math.IsNaN(part.v) {
			return fmt.Errorf("simulate: %s must be from 0 to %v, got %v", part.name, part.below, part.v)
		}
	}
	return nil
}
