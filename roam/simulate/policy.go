package simulate

import (
	"fmt"
	"strings"
)

// A Policy decides for each client when to dial, whom, and what to keep.
type Policy struct {
	Name    string
	Summary string
	Source  string // where it is from
	Numbers bool   // clients need numbers without holes, and have to learn when these change
	Mesh    bool   // every client is connected with every server
	Knows   string // what else it must know that no client can; "" is nothing
	agent   func(w *world, c *client, start float64) agent
}

// Rove is the policy of package roam. It needs no numbers, no mesh, and knows
// what servers told it.
var Rove = Policy{
	Name: "rove", Summary: "this library's: dials when there is something to gain", Source: "package roam",
	agent: newRover,
}

// Policies are all that can be compared.
func Policies() []Policy {
	return []Policy{
		Rove,
		{Name: "reference", Summary: "a random server each interval, the lowest slots are kept", Source: "callosum-client-tcp-rover", agent: newReference},
		{Name: "subset", Summary: "each client connects to Max servers at random", Source: "gRPC A68, random subsetting", agent: newSubset},
		{Name: "aperture", Summary: "clients and servers on a ring, each client covers equal parts of it", Source: "Finagle, deterministic aperture", Numbers: true, Knows: "the number of clients", agent: newAperture},
		{Name: "rocksteadier", Summary: "lots of ten clients share out lots of ten servers", Source: "ACM Queue 20(5), 2022", Numbers: true, Knows: "a number of each server that its successor takes over", agent: newRocksteadier},
		{Name: "roundrobin", Summary: "a connection to every server", Source: "gRPC round_robin", Mesh: true, agent: newRoundRobin},
		{Name: "twochoices", Summary: "each interval, the less loaded of two random servers", Source: "Azar, Broder, Karlin, Upfal, STOC 1994", Knows: "the load of every server, at any moment", agent: newTwoChoices},
	}
}

// FindPolicy returns a policy by its name. "random" is another name of the
// reference.
func FindPolicy(name string) (Policy, error) {
	var names []string
	for _, p := range Policies() {
		if p.Name == name || p.Name == "reference" && name == "random" {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Policy{}, fmt.Errorf("simulate: policy must be one of %s, got %q", strings.Join(names, ", "), name)
}

// Needs says what a policy needs beyond the list of servers; "" is nothing.
func (p Policy) Needs() string {
	var needs []string
	if p.Numbers {
		needs = append(needs, "a number for each client, without holes")
	}
	if p.Mesh {
		needs = append(needs, "every client to be connected with every server")
	}
	if p.Knows != "" {
		needs = append(needs, p.Knows)
	}
	return strings.Join(needs, ", and ")
}

// MarshalText is the policy's name, for JSON.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.Name), nil }
