//go:build !plan9

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/faulty"
	"github.com/callosum-go/rover/server"
)

// A field is all the servers of a life, in the set or not: sound ones, and faulty ones.
type field struct {
	ids     []string
	servers map[string]rover.Server
	dialers map[string]rover.Dialer // by address; others are dialled as they are
	cases   map[string]faulty.Case  // by address, of the faulty ones
	sound   []*sound
	faulty  []*faulty.Server
}

// newField starts sound servers and faulty ones, spread over 127.0.0.0/8 so that no address runs
// out of ports.
func (l *life) newField(sounds, faults int) (*field, error) {
	f := &field{servers: make(map[string]rover.Server), dialers: make(map[string]rover.Dialer), cases: make(map[string]faulty.Case)}
	for i := range sounds {
		s, err := newSound(loopback(l.random))
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.sound = append(f.sound, s)
		f.add(fmt.Sprintf("sound %d", i), s.addr.IP.String(), s.addr.Port)
	}
	cases := roving()
	for i := range faults {
		c := cases[l.random.IntN(len(cases))]
		s, err := faulty.TCP(c, loopback(l.random), l.dialTimeout)
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		l.run.tally.count("fault " + c.Name)
		f.faulty = append(f.faulty, s)
		server := f.add(fmt.Sprintf("%s %d", c.Name, i), s.Host(), s.Port())
		f.cases[server.Addr()] = c
		if !c.Way.Straight() {
			f.dialers[server.Addr()] = s.Dialer()
		}
	}
	return f, nil
}

func (f *field) add(id, host string, port int) rover.Server {
	server := rover.Server{Host: host, Port: port}
	f.ids = append(f.ids, id)
	f.servers[id] = server
	return server
}

// some picks about a part of all servers, as a set.
func (f *field) some(random *rand.Rand, part float64) map[string]rover.Server {
	set := make(map[string]rover.Server)
	for _, id := range f.ids {
		if random.Float64() < part {
			set[id] = f.servers[id]
		}
	}
	return set
}

// DialContext dials as the server at address asks for.
func (f *field) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d, ok := f.dialers[address]; ok {
		return d.DialContext(ctx, network, address)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// close ends all servers. It fails if a sound one has slots that are not free.
func (f *field) close() error {
	var errs []error
	for _, s := range f.sound {
		errs = append(errs, s.close())
	}
	for _, s := range f.faulty {
		s.Close()
	}
	return errors.Join(errs...)
}

// roving are the cases that need nothing of the rover's owner, and no exact time.
func roving() []faulty.Case {
	var cases []faulty.Case
	for _, c := range faulty.Cases() {
		if c.Owner == faulty.Roves && !c.Virtual {
			cases = append(cases, c)
		}
	}
	return cases
}

// loopback is any address of 127.0.0.0/8 but the first and the last.
func loopback(random *rand.Rand) string {
	n := 1 + random.IntN(1<<24-2)
	return fmt.Sprintf("127.%d.%d.%d", n>>16, n>>8&0xff, n&0xff)
}

// A sound server gives out slots and reads until its clients leave.
type sound struct {
	listener *server.Listener
	addr     *net.TCPAddr
	slots    server.Slots
	running  sync.WaitGroup
}

func newSound(host string) (*sound, error) {
	s := new(sound)
	var err error
	if s.listener, err = server.Listen("tcp", net.JoinHostPort(host, "0"), server.WithSlots(&s.slots)); err != nil {
		return nil, err
	}
	s.addr = s.listener.Addr().(*net.TCPAddr)
	s.running.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn)
			})
		}
	})
	return s, nil
}

// close waits until all clients have left, then checks that all slots are free.
func (s *sound) close() error {
	err := s.listener.Close()
	s.running.Wait()
	if n := s.slots.InUse(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d slots of the server at %v are not free", n, s.addr))
	}
	return err
}
