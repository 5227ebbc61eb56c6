//go:build !plan9

package faulty

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Dialer is how a client gets to a server.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Server plays a case to every client that dials it.
type Server struct {
	host     string
	port     int
	dialer   Dialer
	script   Script
	patience time.Duration
	beat     time.Duration // between the pieces of a line, so that each is a segment of its own

	sent    atomic.Int64
	over    chan struct{} // closed by Close
	closers []io.Closer   // the door
	running sync.WaitGroup

	mu       sync.Mutex
	ended    bool
	peers    map[*peer]struct{}
	accepted int
	changed  chan struct{} // closed and replaced when a peer leaves
}

// TCP starts the case's server on a free port of host, a loopback address. Patience is the dial
// timeout of the clients to come. Where the system has no way to play the case, the error is an
// errors.ErrUnsupported.
func TCP(c Case, host string, patience time.Duration) (*Server, error) {
	s := newServer(c, host, patience)
	// In two milliseconds a waiting reader wakes up between two pieces. No outcome depends on it.
	s.beat = 2 * time.Millisecond
	s.dialer = &net.Dialer{}

	var err error
	switch c.Door {
	case Refuses:
		s.port, err = s.reserve(host)
	case Full:
		s.port, err = s.cram(host)
	default:
		err = s.listen(c.Door, host)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("faulty: %s: %w", c.Name, err)
	}
	s.take(c.Way)
	return s, nil
}

// Pipe starts the case's server in memory, for bubbles of testing/synctest: every dial makes a
// pipe, and no time passes that the script does not ask for.
func Pipe(c Case, patience time.Duration) *Server {
	s := newServer(c, "127.0.0.1", patience)
	s.port = 4040
	s.dialer = &pipeDialer{server: s, door: c.Door}
	s.take(c.Way)
	return s
}

func newServer(c Case, host string, patience time.Duration) *Server {
	return &Server{
		host: host, script: c.Script, patience: patience,
		over: make(chan struct{}), changed: make(chan struct{}),
		peers: make(map[*peer]struct{}),
	}
}

// take makes clients go the case's way.
func (s *Server) take(way Way) {
	if way.wrap != nil {
		s.dialer = way.wrap(s, s.dialer)
	}
	if way.host != "" {
		s.host = way.host
	}
}

// Host is the host to dial: an address, or a name where the case is about names.
func (s *Server) Host() string { return s.host }

// Port is the port to dial.
func (s *Server) Port() int { return s.port }

// Dialer is what a client must dial with.
func (s *Server) Dialer() Dialer { return s.dialer }

// Sent is the number of bytes that clients, or the kernel on their behalf, have taken.
func (s *Server) Sent() int64 { return s.sent.Load() }

// Accepted is the number of connections so far.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Open is the number of connections that neither the server has ended nor the client, as far as
// the server has seen.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers)
}

// Quiet waits until no connection is open.
func (s *Server) Quiet(ctx context.Context) error {
	for {
		s.mu.Lock()
		open, changed := len(s.peers), s.changed
		s.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("faulty: %d connections still open: %w", open, ctx.Err())
		}
	}
}

// Close ends the server and all its connections, and waits until their goroutines have ended.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.ended {
		s.ended = true
		close(s.over)
		for _, closer := range s.closers {
			_ = closer.Close()
		}
		for p := range s.peers {
			_ = p.Reset() // leaves no TIME_WAIT behind
		}
	}
	s.mu.Unlock()
	s.running.Wait()
}

// listen opens a listener and, unless it is unattended, plays the script to each connection.
func (s *Server) listen(door Door, host string) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, l)
	s.port = l.Addr().(*net.TCPAddr).Port
	if door == Unattended {
		return nil
	}
	s.running.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // the client was gone before it was accepted, or descriptors ran out
				if !s.wait(time.Millisecond) {
					return
				}
				continue
			}
			s.play(tcpWire{conn.(*net.TCPConn)}, s.script)
		}
	})
	return nil
}

// play runs script on w, in a goroutine of its own, until client or server ends it.
func (s *Server) play(w wire, script Script) {
	p := &peer{wire: w, server: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		_ = w.Reset()
		return
	}
	s.accepted++
	s.peers[p] = struct{}{}
	s.running.Go(func() {
		defer s.leave(p)
		for _, step := range script {
			if step.do(p) != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, readOnly{p}) // until the client leaves
	})
}

func (s *Server) leave(p *peer) {
	_ = p.wire.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, p)
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait lets d go by, and reports false when the server ended meanwhile.
func (s *Server) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.over:
		return false
	}
}

// readOnly hides everything but Read, so that io.Copy neither splices nor writes.
type readOnly struct{ io.Reader }

// tcpWire is a wire of real TCP.
type tcpWire struct{ *net.TCPConn }

func (w tcpWire) Reset() error {
	return errors.Join(w.SetLinger(0), w.TCPConn.Close())
}
