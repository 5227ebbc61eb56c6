package pool

import (
	"context"
	"math"
	"net"
	"net/http"
	"sync"

	"github.com/callosum-go/rover/internal/socket"
)

// A Transport is an http.RoundTripper over a pool, made by Pool.Transport.
//
// It holds each connection as long as http.Transport does. When the pool has a
// better one, it closes the old one as soon as no request is on it, so that
// clients that never let go follow the balance too. That fails no request: one
// that http.Transport was about to send on a connection just closed goes to
// another, before a byte of it is written or its body read.
//
// A request without a body and whose method is safe (GET, HEAD, OPTIONS, TRACE)
// is repeated if the server closed the connection without an answer, as
// http.Transport does itself unless the connection is new. One that is new to
// it may have been idle here for long, so those count too: 3 tries at the most.
type Transport struct{ base *http.Transport }

var _ http.RoundTripper = (*Transport)(nil)

// Transport returns an http.RoundTripper whose connections come from the pool;
// the host in a URL says only what to ask for, and the scheme whether in TLS.
// The settings are those of base, http.DefaultTransport's if nil, of which it
// uses a copy, without a proxy, and without its limits for idle connections: the
// pool's Max is the limit. Give the URLs one host: http.Transport keeps
// connections by host, and those of one are of no use to another.
func (p *Pool) Transport(base *http.Transport) *Transport {
	if base == nil {
		base, _ = http.DefaultTransport.(*http.Transport)
	}
	if base == nil { // somebody has replaced the default by something else
		base = &http.Transport{}
	}
	base = base.Clone()
	base.Proxy, base.DialTLSContext = nil, nil
	base.MaxIdleConns, base.MaxIdleConnsPerHost = 0, math.MaxInt
	base.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := p.Get(ctx)
		if err != nil {
			return nil, err
		}
		l := &line{Conn: c}
		c.onReplaced(l.replace)
		return l, nil
	}
	return &Transport{base}
}

// CloseIdleConnections closes what no request is on, as http.Client expects.
func (t *Transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// maxTries is how often a request is sent that may have reached a server.
const maxTries = 3

// RoundTrip sends one request, as http.RoundTripper says.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	for tries := 1; ; {
		r := newRide(req)
		resp, err := t.base.RoundTrip(r.request)
		if err != nil && req.Context().Err() == nil {
			if r.missed() {
				continue
			}
			if r.stale(err) && tries < maxTries {
				r.leave()
				tries++
				continue
			}
		}
		r.settle()
		switch {
		case err != nil || resp.Body == http.NoBody:
			r.leave()
		case resp.StatusCode == http.StatusSwitchingProtocols:
			// The connection belongs to the caller now, who closes it.
		default:
			resp.Body = &tail{resp.Body, r.leave}
		}
		return resp, err
	}
}

// A line is a connection that http.Transport holds, and knows how many
// requests are on it: one at most with HTTP/1, but for the moment between a
// response's last byte and our hearing of it.
type line struct {
	*Conn
	mu       sync.Mutex
	riders   int
	replaced bool
	closed   bool // by us, because it was replaced
}

// enter puts a request on the line. False: the line is closed.
func (l *line) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.riders++
	}
	return !l.closed
}

func (l *line) leave() { l.update(func() { l.riders-- }) }

func (l *line) replace() { l.update(func() { l.replaced = true }) }

func (l *line) update(change func()) {
	l.mu.Lock()
	change()
	closes := l.replaced && l.riders == 0 && !l.closed
	l.closed = l.closed || closes
	l.mu.Unlock()
	if closes {
		_ = l.Close()
	}
}

// lineOf finds the line under TLS, nil if the connection is not of ours.
func lineOf(conn net.Conn) *line {
	for layer := range socket.Layers(conn) {
		if l, ok := layer.(*line); ok {
			return l
		}
	}
	return nil
}
