package server_test

import (
	"net"
	"sync"
)

// pipes is a listener whose connections are net.Pipes and whose errors are
// scripted: it works in virtual time.
type pipes struct {
	queue  chan any // net.Conn or error
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{queue: make(chan any), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case next := <-p.queue:
		if err, ok := next.(error); ok {
			return nil, err
		}
		return next.(net.Conn), nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// dial waits until the connection is accepted; it may not have its line yet.
func (p *pipes) dial() net.Conn {
	client, conn := net.Pipe()
	p.queue <- conn
	return client
}
