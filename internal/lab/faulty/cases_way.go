//go:build !plan9

package faulty

import "syscall"

// wayCases are the attempts that never get to a server.
func wayCases() []Case {
	var cases []Case
	add := func(c Case) {
		c.Name, c.Group = "way/"+c.Name, Ways
		cases = append(cases, c)
	}
	add(Case{Name: "refused", Door: Refuses, Want: unreachable(syscall.ECONNREFUSED)})
	add(Case{Name: "no route to host", Way: Fails("connect", syscall.EHOSTUNREACH), Want: unreachable(syscall.EHOSTUNREACH)})
	add(Case{Name: "no route to network", Way: Fails("connect", syscall.ENETUNREACH), Want: unreachable(syscall.ENETUNREACH)})
	add(Case{
		Name: "kernel gives up", Way: Fails("connect", syscall.ETIMEDOUT),
		Want: []Outcome{{Stream: Unreachable, Cause: syscall.ETIMEDOUT, Timeout: true}},
	})
	add(Case{Name: "packets dropped", Way: Drops(), Want: timeout()})
	add(Case{Name: "socket comes too late", Way: Late(), Script: Script{Send("13\r\n")}, Want: timeout()})
	add(Case{
		Name: "no such host", Way: NoSuchHost(),
		Want: []Outcome{{Stream: Unreachable, Lookup: true, NotFound: true}},
	})
	add(Case{
		Name: "resolver fails", Way: ResolverFails(),
		Want: []Outcome{{Stream: Unreachable, Lookup: true}},
	})
	add(Case{Name: "resolver hangs", Way: ResolverHangs(), Want: timeout()})
	return cases
}
