//go:build !plan9

package faulty

import "syscall"

// What the reference was measured to do when descriptors run out.
const refLimits = "reports the servers as unreachable"

// ownCases are the events for which no server is to blame.
func ownCases() []Case {
	var cases []Case
	add := func(c Case) {
		c.Name, c.Group = "own/"+c.Name, Limits
		cases = append(cases, c)
	}
	limit := func(name, call string, cause syscall.Errno, reference string) {
		add(Case{
			Name: name, Way: Fails(call, cause), Reference: reference,
			Want: []Outcome{{Stream: Errors, Class: Resources, Cause: cause}},
		})
	}
	limit("EMFILE", "socket", syscall.EMFILE, refLimits)
	limit("ENFILE", "socket", syscall.ENFILE, "")
	limit("EADDRNOTAVAIL", "connect", syscall.EADDRNOTAVAIL, "")
	limit("ENOBUFS", "socket", syscall.ENOBUFS, "")
	limit("ENOMEM", "socket", syscall.ENOMEM, "")
	limit("EADDRINUSE", "bind", syscall.EADDRINUSE, "")
	limit("EPERM", "connect", syscall.EPERM, "")
	limit("EACCES", "connect", syscall.EACCES, "")

	fails := func(class Class) []Outcome { return []Outcome{{Stream: Errors, Class: class}} }
	add(Case{Name: "no servers", Owner: HasNoServers, Want: fails(NoServers)})
	add(Case{
		Name: "busy", Owner: TicksTwice, Want: timeout(), Also: fails(Busy),
		Reference: "attempts pile up without limit",
	})
	line := Script{Send("13\r\n")}
	add(Case{Name: "panic in the dialer", Way: Panics(), Want: fails(Panic)})
	add(Case{Name: "panic in the pick", Owner: PanicsInPick, Script: line, Want: fails(Panic)})
	add(Case{Name: "panic in the logger", Owner: PanicsInLog, Script: line, Want: slot(13), Also: fails(Panic)})

	for _, owner := range []struct {
		does Owner
		name string
	}{{StopsMidway, "stopped"}, {CancelsIt, "cancelled"}, {PassesIt, "out of time"}} {
		ends := func(c Case) {
			c.Name, c.Owner, c.Want = owner.name+" "+c.Name, owner.does, []Outcome{{Stream: None}}
			c.Virtual = owner.does == PassesIt // a slow machine may be out of time before the attempt
			add(c)
		}
		ends(Case{Name: "before the line"})
		ends(Case{Name: "within the line", Script: Script{Send("13\r")}})
		ends(Case{Name: "in the dial", Way: Drops()})
		ends(Case{Name: "in the lookup", Way: ResolverHangs()})
	}
	return cases
}
