//go:build !plan9

package faulty

import (
	"io"
	"syscall"
)

// What the reference was measured to do about servers that go, or say nothing.
const (
	refEnd    = "no event at all"
	refSilent = "no event at all; attempts pile up without limit until `EMFILE`, which it reports as the servers being unreachable"
)

// starts are the beginnings of a line that is never finished.
var starts = []string{"", "1", "13", "13\r"}

// after names a start in words.
func after(start string) string {
	return []string{"at once", "after 1 byte", "after 2 bytes", "after 3 bytes"}[len(start)]
}

// begin sends a start, the empty one by sending nothing.
func begin(start string, then ...Step) Script {
	if start == "" {
		return then
	}
	return append(Script{Send(start)}, then...)
}

// endCases are the servers that go before the line is whole.
func endCases() []Case {
	var cases []Case
	add := func(name, reference string, cause error, script Script) {
		cases = append(cases, Case{
			Name: "end/" + name, Group: Ends, Script: script, Want: unreachable(cause), Reference: reference,
		})
	}
	for _, start := range starts {
		reference := refEnd
		if start != "" { // not measured, except for an end before anything
			reference = ""
		}
		add("closed "+after(start), reference, io.ErrUnexpectedEOF, begin(start, Close()))
		add("half-closed "+after(start), reference, io.ErrUnexpectedEOF, begin(start, HalfClose()))
		add("reset "+after(start), "", syscall.ECONNRESET, begin(start, Reset()))
	}
	return cases
}

// silenceCases are the servers that are too slow, and those that are only slow.
func silenceCases() []Case {
	var cases []Case
	add := func(c Case) {
		c.Name, c.Group = "slow/"+c.Name, Silence
		cases = append(cases, c)
	}
	for _, start := range starts {
		add(Case{Name: "silent " + after(start), Script: begin(start), Want: timeout()})
	}
	cases[0].Reference = refSilent
	add(Case{Name: "accepts and forgets", Script: Script{Forget()}, Want: timeout()})
	add(Case{Name: "never accepts", Door: Unattended, Want: timeout()})
	add(Case{Name: "full accept queue", Door: Full, Want: timeout()})

	// A client that gives each byte a timeout of its own gets a slot in these.
	add(Case{
		Name: "loris", Want: timeout(),
		Script: Script{Wait(0.4), Send("1"), Wait(0.4), Send("3"), Wait(0.4), Send("\r"), Wait(10), Send("\n")},
	})
	add(Case{
		Name: "one byte too late", Virtual: true, Want: timeout(),
		Script: Script{Send("13\r"), Wait(1.001), Send("\n")},
	})
	add(Case{
		Name: "endless loris", Want: timeout(),
		Script: Script{Send("0"), Wait(0.3), Send("0"), Wait(0.3), Send("0"), Wait(0.3), Send("0"), Wait(0.3), Send("0")},
	})

	add(Case{
		Name: "in time", Virtual: true, Want: []Outcome{{Stream: Connections, Slot: 13, After: 0.99}},
		Script: Script{Wait(0.99), Send("13\r\n")},
	})
	add(Case{
		Name: "drip, in time", Virtual: true, Want: []Outcome{{Stream: Connections, Slot: 13, After: 0.75}},
		Script: Script{Send("1"), Wait(0.25), Send("3"), Wait(0.25), Send("\r"), Wait(0.25), Send("\n")},
	})
	add(Case{
		Name: "nonsense, in time", Virtual: true,
		Want:   []Outcome{{Stream: Errors, Class: Protocol, Wrong: "13\r?", After: 0.75}},
		Script: Script{Send("13\r"), Wait(0.75), Send("?")},
	})
	add(Case{ // a deadline left on the socket would end it
		Name: "talks long after", Virtual: true, Want: reads("LATE"),
		Script: Script{Send("13\r\n"), Wait(3), Send("LATE")},
	})
	return cases
}
