package main

import (
	"fmt"
	"net"
	"strings"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/server"
)

// A fleet is what the demo roves over, all on loopback: slot servers "a", "b",
// and so on, then an address without a listener and a server that talks
// nonsense.
type fleet struct {
	servers  []*slotServer
	nonsense *host
	nobody   net.Conn // dialed to nonsense: while it is open, its local port is taken
}

func newFleet(servers int) (_ *fleet, err error) {
	f := new(fleet)
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	for i := range servers {
		s := &slotServer{named: named{id: string(rune('a' + i))}}
		if err := s.listen("127.0.0.1:0"); err != nil {
			return f, err
		}
		f.servers = append(f.servers, s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return f, err
	}
	f.nonsense = newHost(l, "Good day!\r\n")
	f.nobody, err = net.Dial("tcp", l.Addr().String())
	return f, err
}

func (f *fleet) close() {
	for _, s := range f.servers {
		s.close()
	}
	if f.nobody != nil {
		f.nobody.Close()
	}
	if f.nonsense != nil {
		f.nonsense.close()
	}
}

// list is all servers of the fleet, useless ones included.
func (f *fleet) list() (all serverList) {
	for _, s := range f.servers {
		all = append(all, s.named)
	}
	return append(all,
		named{"nobody", serverAt(f.nobody.LocalAddr())},
		named{"nonsense", serverAt(f.nonsense.Addr())})
}

func serverAt(a net.Addr) rover.Server {
	at := endpoint(a)
	return rover.Server{Host: at.Host, Port: at.Port}
}

// balance shows how many connections are kept at each slot server. Bars are to
// scale: twice the even share fills one.
func (f *fleet) balance(kept map[rover.Server]int) event {
	byID := make(map[string]int)
	most := 2 * clients
	for _, s := range f.servers {
		byID[s.id] = kept[s.Server]
		most = max(most, byID[s.id])
	}
	cell := (columns - len("15:04:05.000  unreachable  ")) / len(f.servers)
	var line strings.Builder
	for _, s := range f.servers {
		n := byID[s.id]
		line.WriteString(pad(fmt.Sprintf("%s%2d %s", s.id, n, picture(n, most, cell-len("a 6 ")-1)), cell))
	}
	return event{name: "balance", colour: cyan, detail: strings.TrimRight(line.String(), " "), fields: struct {
		Kept map[string]int `json:"kept"`
	}{byID}}
}

// picture shows n of most in the given room, as a bar, a character or nothing.
func picture(n, most, room int) string {
	switch {
	case room < 1:
		return ""
	case room < 4:
		return spark(n, most)
	default:
		return bar(n, most, room)
	}
}

// A slotServer can go down and come up again at the same address.
type slotServer struct {
	named
	host *host // nil when down
}

func (s *slotServer) listen(address string) error {
	l, err := server.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.host, s.Server = newEcho(l), serverAt(l.Addr())
	return nil
}

func (s *slotServer) close() {
	if s.host != nil {
		s.host.close()
		s.host = nil
	}
}

// down ends the server and all its connections.
func (s *slotServer) down(p *printer) {
	p.print(s.event("down", "restarts, its connections are gone"))
	s.close()
}

// up starts the server again if it is down, with every slot free.
func (s *slotServer) up(p *printer) {
	if s.host != nil {
		return
	}
	if err := s.listen(s.Addr()); err != nil { // the port was taken meanwhile
		p.print(errorEvent(err))
		return
	}
	p.print(s.event("up", "is back, all its slots are free"))
}

func (s *slotServer) event(name, detail string) event {
	return event{name: name, colour: magenta, id: s.id, detail: detail, fields: struct {
		ID string `json:"id"`
		address
	}{s.id, address(s.Server)}}
}
