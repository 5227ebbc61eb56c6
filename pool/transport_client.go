package pool

//lint:file-ignore SA1019 http.Client sets Request.Cancel for its Timeout

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// A client is one connection and what is known of it. The requests on it are
// counted here: what ClientConn's hook says may be late, or missing.
type client struct {
	*http.ClientConn
	fleet *fleet
	line  *line
	http2 bool
	host  string            // the name it was opened for
	cert  *x509.Certificate // nil: none that other names may rely on

	// Under the fleet's lock.
	load    int
	turn    uint64    // when it was last chosen
	since   time.Time // when its last request ended, or it was opened
	spot    int       // in ready; -1: not there
	full    bool      // of HTTP/2: takes no more requests until the hook says so
	retired bool      // gets no request any more, and closes with the last
	due     bool      // and then goes to somebody else
	gone    bool
	names   map[string]bool // what cert is valid for
}

type lineKey struct{}

// A goneError is that the server has ended a connection before it was a client,
// or did not answer. A certificate that is wrong is another matter: it may be the
// caller's name that is.
type goneError struct{ error }

func (e goneError) Unwrap() error { return e.error }

// open makes a client of a connection, with one seat taken. A TLS handshake that
// has a timeout goes on when ctx ends: the next request will want it.
func (f *fleet) open(ctx context.Context, raw *Conn, host string) (*client, error) {
	c := &client{fleet: f, line: &line{Conn: raw, secure: f.scheme == "https"}, host: host, load: 1, spot: -1}
	if !c.line.secure {
		p := f.transport.base.Protocols
		c.http2 = p != nil && p.UnencryptedHTTP2() && !p.HTTP1()
		return c, c.connect(ctx, "pool:80")
	}
	handshake := ctx
	if f.transport.base.TLSHandshakeTimeout > 0 {
		handshake = context.WithoutCancel(ctx)
	}
	done := make(chan error, 1)
	go func() { done <- c.connect(handshake, net.JoinHostPort(host, "443")) }()
	select {
	case err := <-done:
		return c, err
	case <-ctx.Done():
		go func() {
			if <-done == nil {
				c.leave(false)
			}
		}()
		return nil, context.Cause(ctx)
	}
}

func (c *client) connect(ctx context.Context, address string) (err error) {
	ctx = context.WithValue(ctx, lineKey{}, c.line)
	if c.line.secure {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: c.identify})
	}
	f := c.fleet
	if c.ClientConn, err = f.transport.base.NewClientConn(ctx, f.scheme, address); err != nil {
		_ = c.line.Close() // which net/http has done, as a rule
		if isGone(err) || isTimeout(err) {
			f.transport.pool.blame(c.line.Conn, err)
			return goneError{err}
		}
		return err
	}
	f.mu.Lock()
	f.hold(c, 1)
	f.turn++
	c.turn = f.turn
	c.retired = f.transport.base.DisableKeepAlives
	f.arrange(c)
	f.serve()
	f.mu.Unlock()
	c.SetStateHook(c.changed)
	c.line.onReplaced(c.retire)
	return nil
}

// identify learns from the handshake which protocol was agreed on, and for which
// names the other side can speak.
func (c *client) identify(state tls.ConnectionState, err error) {
	if err != nil {
		return
	}
	c.http2 = state.NegotiatedProtocol == "h2"
	config := c.fleet.transport.base.TLSClientConfig
	own := config != nil && (config.InsecureSkipVerify || config.VerifyConnection != nil || config.VerifyPeerCertificate != nil)
	if !own && len(state.VerifiedChains) > 0 {
		c.cert = state.PeerCertificates[0]
	}
}

// covers says whether c may be asked for host. The fleet's lock is held.
func (c *client) covers(host string) bool {
	if host == c.host {
		return true
	}
	if c.cert == nil || c.fleet.apart[host] {
		return false
	}
	valid, known := c.names[host]
	if !known {
		if c.names == nil || len(c.names) == maxNames {
			c.names = map[string]bool{}
		}
		valid = c.cert.VerifyHostname(host) == nil
		c.names[host] = valid
	}
	return valid
}

// maxNames bounds what a client remembers of its certificate.
const maxNames = 1024

// update changes c, gives its seat to who waits, and lets it go if that is due.
func (c *client) update(change func()) {
	f := c.fleet
	f.mu.Lock()
	change()
	f.arrange(c)
	f.serve()
	over := c.retired && c.load == 0 && !c.gone
	f.mu.Unlock()
	if over {
		c.letGo()
	}
}

// letGo ends c, which is retired and without a request. For who waits in the pool
// the connection stays whole, if it is as good as new to its server.
func (c *client) letGo() {
	if c.due && !c.http2 && !c.line.secure {
		c.line.handBack()
	} else {
		_ = c.Close()
	}
}

// leave takes a request off c, which was answered or not. After its last, the
// connection may be due to somebody else.
func (c *client) leave(well bool) {
	var learn func()
	c.update(func() {
		c.load--
		c.full = false
		if c.load == 0 && !c.retired && !c.gone {
			c.since = time.Now()
			c.due, learn = c.fleet.transport.pool.rested(c.fleet, c.line.Conn, well)
			if f := c.fleet; !c.due && f.asks.Len() > 0 {
				host := f.first().host
				c.due = !c.covers(host) && isDue(f.named[c.host], f.named[host])
			}
			c.retired = c.due
		}
	})
	if learn != nil {
		learn()
	}
}

func (c *client) retire() { c.update(func() { c.retired = true }) }

// changed is the state hook.
func (c *client) changed(cc *http.ClientConn) {
	ended, full := cc.Err() != nil, c.http2 && cc.Available() == 0
	c.update(func() {
		c.full = full
		if ended {
			c.end()
		}
	})
}

// end says that c is no more. The fleet's lock is held.
func (c *client) end() {
	if !c.gone {
		c.gone = true
		c.fleet.hold(c, -1)
	}
}

// takes says whether a request can be sent at once. It reserves nothing: with
// HTTP/2, reservations made before the server has said its limit would lock the
// connection up for good.
func (c *client) takes() bool {
	return c.Err() == nil && (!c.http2 || c.Available() > 0)
}

// refuse leaves c, which takes no request although it has a seat: it has ended,
// is about to, or its server allows fewer requests than before.
func (c *client) refuse() {
	useless := c.Err() != nil || c.InFlight() == 0 && c.Available() == 0
	c.update(func() {
		c.load--
		c.full = true
		c.retired = c.retired || useless
	})
}

// send sends a request on c, whose seat is free when the answer has been read.
func (c *client) send(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
		used := c.line.used.Swap(true)
		trace.GotConn(httptrace.GotConnInfo{Conn: c.line.Conn, Reused: used, WasIdle: used})
	}
	c.line.used.Store(true)
	var a *answer
	if !c.http2 && (req.Context().Done() != nil || req.Cancel != nil) {
		req, a = cancelable(req)
	} else {
		a = &answer{cancel: nothing}
	}
	resp, err := c.RoundTrip(req)
	if err != nil {
		a.cancel()
		return nil, err
	}
	c.line.answered.Store(true)
	if !c.http2 && (resp.Close || req.Close) {
		c.retire()
	}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols && !c.http2:
		a.cancel()
		c.update(c.end) // the connection is the caller's now, who closes it
	case resp.Body == http.NoBody:
		a.cancel()
		c.leave(true)
	default:
		a.ReadCloser, a.client = resp.Body, c
		resp.Body = a
	}
	return resp, nil
}

var errCanceled = errors.New("pool: request canceled")

func nothing() {}

// cancelable gives a request a context of its own, to be ended with it: that of
// a request that fails would stay in its parent, and a goroutine with a Cancel.
// The copy is allocated with the answer.
func cancelable(req *http.Request) (*http.Request, *answer) {
	var both struct {
		answer
		request http.Request
	}
	ctx, cancel := context.WithCancel(req.Context())
	both.cancel = cancel
	if req.Cancel != nil {
		var cause context.CancelCauseFunc
		ctx, cause = context.WithCancelCause(ctx)
		go func() {
			select {
			case <-req.Cancel:
				cause(errCanceled)
			case <-ctx.Done():
			}
		}()
	}
	both.request = *req.WithContext(ctx)
	both.request.Cancel = nil
	return &both.request, &both.answer
}

// An answer is a response's body. Its end frees the seat.
type answer struct {
	io.ReadCloser
	client *client
	cancel func()
	ended  atomic.Bool
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil {
		a.end(err == io.EOF)
	}
	return n, err
}

func (a *answer) Close() error {
	defer a.end(false)
	return a.ReadCloser.Close()
}

func (a *answer) end(whole bool) {
	if a.ended.Swap(true) {
		return
	}
	a.cancel()
	c := a.client
	if !whole && !c.http2 { // the rest of it would be in the way
		c.retire()
	}
	c.leave(true)
}
