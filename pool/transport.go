package pool

//lint:file-ignore SA1019 Dial and DialTLS of a base are looked at

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// A Transport is an http.RoundTripper over a pool, made by Pool.Transport. Each
// connection that it borrows is one http.ClientConn, and each request chooses
// one: of those with about the fewest requests on them the longest unused. So work
// follows the balance, with HTTP/1.1, HTTP/2 and unencrypted HTTP/2 alike.
//
// A connection that the pool has replaced gets no new request, and closes when
// its last has ended. A request that finds no connection waits for one, in the
// pool and here, no longer than its context.
//
// What was not sent is sent again, whatever the method, if the body was not read
// or can be had again (GetBody). What may have reached a server that then closed
// the connection without an answer is sent again if it does no harm twice: GET,
// HEAD, OPTIONS, TRACE, or a header Idempotency-Key, as net/http has it; three
// times at the most.
//
// Several Transports, the names of several certificates, and whoever uses Get
// share a pool: see Pool.Transport.
type Transport struct {
	pool    *Pool
	base    *http.Transport
	refused error // what of the settings cannot be honoured

	plain, secure fleet
}

var _ http.RoundTripper = (*Transport)(nil)

// Transport returns an http.RoundTripper whose connections come from the pool.
// The scheme of a URL says whether to speak TLS, its host what to ask for and
// which name to expect in the certificate; where to is the pool's choice.
//
// The settings are those of base, http.DefaultTransport's if nil, of which it
// uses a copy, except:
//
//   - Proxy, DialContext, Dial: not used. The pool has dialed;
//   - DialTLSContext, DialTLS: refused by RoundTrip. TLSClientConfig is honoured;
//   - MaxIdleConns, MaxIdleConnsPerHost, MaxConnsPerHost, IdleConnTimeout: not
//     used. The pool's Max is the limit, and the pool says what goes;
//   - an HTTP/2 of somebody else's in TLSNextProto: net/http's own is used. The
//     HTTP2 and Protocols of base are honoured.
//
// All http URLs share the connections. Those of https share one too, whatever
// their names, if its certificate is valid for them and nothing but that decides
// it (InsecureSkipVerify, VerifyConnection and VerifyPeerCertificate unset); a
// name that a server answers with 421 gets one of its own from then on.
//
// A connection without a request goes to whoever waits and holds none, to whoever
// waits and holds two fewer, and to anybody who waits once it has been unused
// for 100 ms. One that has spoken only HTTP/1.1 without TLS stays whole in that.
func (p *Pool) Transport(base *http.Transport) *Transport {
	if base == nil {
		base, _ = http.DefaultTransport.(*http.Transport)
	}
	if base == nil { // somebody has replaced the default by something else
		base = &http.Transport{}
	}
	t := &Transport{pool: p, base: base.Clone()}
	if base.DialTLSContext != nil || base.DialTLS != nil {
		t.refused = errors.New("pool: DialTLSContext and DialTLS of a Transport's base must be nil, for the pool has dialed: set TLSClientConfig")
	}
	_, http2 := base.TLSNextProto["h2"] // Clone has had base make up its mind
	b := t.base
	if _, foreign := b.TLSNextProto["h2"]; foreign {
		b.TLSNextProto = nil
	}
	b.ForceAttemptHTTP2 = http2 // which our DialContext would turn off
	b.Proxy, b.Dial, b.DialTLS, b.DialTLSContext = nil, nil, nil, nil
	b.MaxIdleConns, b.MaxIdleConnsPerHost, b.MaxConnsPerHost, b.IdleConnTimeout = 0, 0, 0, 0
	b.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ctx.Value(lineKey{}).(*line), nil
	}
	t.plain.init(t, "http")
	t.secure.init(t, "https")
	return t
}

// CloseIdleConnections closes what no request is on, as http.Client expects.
func (t *Transport) CloseIdleConnections() {
	t.plain.closeIdle()
	t.secure.closeIdle()
}

// maxTries is how often a request is sent that may have reached a server, and
// how often a handshake is tried for it.
const maxTries = 3

// maxMisses is how often one is sent of which nothing was sent before; there is
// no other end if it is the body that fails.
const maxMisses = 8

// RoundTrip sends one request, as http.RoundTripper says. An error of waiting
// for a connection wraps the context's.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	f, host, err := t.fleet(req)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	var send sending
	send.init(req)
	for tries, misses := 1, 1; ; {
		c, err := f.seat(req, host)
		if err != nil {
			if errors.As(err, new(goneError)) && tries < maxTries && req.Context().Err() == nil {
				tries++
				continue
			}
			send.fail()
			return nil, err
		}
		sent := c.line.mark()
		resp, err := c.send(send.request)
		switch {
		case err == nil && resp.StatusCode == http.StatusMisdirectedRequest && c.host != host && send.again():
			f.separate(host)
			_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
			_ = resp.Body.Close()
			continue
		case err == nil:
			send.done()
			resp.Request = req
			return resp, nil
		}
		unsent, mute := c.judge(err, sent)
		spoiled := send.spoiled()
		if !unsent && !spoiled && c.isGuilty(err, req.Context()) {
			t.pool.blame(c.line.Conn, err)
		}
		c.leave(false)
		if req.Context().Err() == nil && !spoiled {
			if unsent && misses < maxMisses && send.again() {
				misses++
				continue
			}
			if mute && isHarmless(req) && !isTimeout(err) && tries < maxTries && send.again() {
				tries++
				continue
			}
		}
		send.fail()
		return nil, err
	}
}

// fleet finds the connections for a request, and the name that their
// certificates must have: "" for http.
func (t *Transport) fleet(req *http.Request) (*fleet, string, error) {
	switch {
	case t.refused != nil:
		return nil, "", t.refused
	case req.URL == nil || req.Header == nil || req.URL.Host == "":
		return nil, "", errors.New("pool: a request must have a URL with a host, and a Header")
	case req.URL.Scheme == "http":
		return &t.plain, "", nil
	case req.URL.Scheme != "https":
		return nil, "", fmt.Errorf("pool: the scheme of a URL must be http or https, got %q", req.URL.Scheme)
	}
	host := strings.ToLower(req.URL.Hostname())
	if config := t.base.TLSClientConfig; config != nil && config.ServerName != "" {
		host = config.ServerName
	}
	return &t.secure, host, nil
}
