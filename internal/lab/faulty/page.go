//go:build !plan9

package faulty

import (
	"fmt"
	"strings"
)

//go:generate go run ./gen ../../../docs/faults.md

// Page is the table of all cases for people to read, in Markdown.
func Page() string {
	var page strings.Builder
	page.WriteString(`# What can go wrong, and what comes of it

An attempt ends in exactly one event on exactly one stream, emitted as soon as it is certain and never
later than the dial timeout, T; nothing stays open. This is the table of the cases that the tests hold
the rover to, over loopback TCP and over pipes in virtual time. Errors of networks and limits are a
dialer's in it; dropped packets and missing routes are tested with the kernel's own as well, in a
network namespace where one is permitted. The page is generated from the cases: change
` + "`internal/lab/faulty`, then `go generate ./internal/lab/faulty`" + `.

The last column is what the Node package callosum-client-tcp-rover was measured to do (Node 20);
it is empty where nobody measured. Two things it does are about the rover's owner and not about
servers: an error that nobody listens to ends the process (here it is logged at Warn), and so does
a bad port in the set of servers (here it is returned when the server is added).
`)
	cases := Cases()
	for _, group := range Groups() {
		fmt.Fprintf(&page, "\n## %s\n\n| case | what happens | the rover | the reference |\n| --- | --- | --- | --- |\n", group)
		for _, c := range cases {
			if c.Group != group {
				continue
			}
			name := c.Name[strings.IndexByte(c.Name, '/')+1:]
			row := []string{name, c.Does(), c.Wanted(), c.Reference}
			page.WriteString("| " + strings.Join(row, " | ") + " |\n")
		}
	}
	return page.String()
}
