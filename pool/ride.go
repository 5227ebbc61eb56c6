package pool

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"

	"github.com/callosum-go/rover/internal/socket"
)

// A ride is one try to send a request.
type ride struct {
	request *http.Request // the caller's, with our hooks and our body
	body    *cargo        // nil: none

	mu       sync.Mutex
	on       *line
	late     bool // the line it got was closed already: nothing was or will be written
	fresh    bool // it is the first on its line
	answered bool // a byte of the response came
}

func newRide(req *http.Request) *ride {
	r := &ride{}
	trace := &httptrace.ClientTrace{TLSHandshakeDone: r.shake, GotConn: r.board, GotFirstResponseByte: r.answer}
	r.request = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	if req.Body != nil && req.Body != http.NoBody {
		r.body = &cargo{ReadCloser: req.Body, ride: r}
		r.request.Body = r.body
	}
	return r
}

// shake, board and answer are the httptrace hooks, in the order in which they
// are called; again, if http.Transport itself tries another connection.

// shake is told how the handshake of a new line went. One that the server had
// closed is as good as none at all.
func (r *ride) shake(_ tls.ConnectionState, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fresh = isGone(err)
}

// board is told the line before the request is written.
func (r *ride) board(info httptrace.GotConnInfo) {
	r.leave()
	l := lineOf(info.Conn)
	entered := l != nil && l.enter()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late = l != nil && !entered
	r.fresh = entered && !info.Reused
	r.answered = false
	if entered {
		r.on = l
	}
}

func (r *ride) answer() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = true
}

// missed says that nothing of the request was sent or read, so that it can be
// sent anew.
func (r *ride) missed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.late && (r.body == nil || !r.body.touched)
}

// stale says that the server may well have closed the line before it saw the
// request, and that it does no harm if it did see it.
func (r *ride) stale(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var limit net.Error
	late := errors.As(err, &limit) && limit.Timeout()
	return r.fresh && !r.answered && !late && r.body == nil && isSafe(r.request.Method)
}

// isSafe is RFC 9110, 9.2.1. An empty method is GET.
func isSafe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// isGone says whether the server ended the connection. We ourselves did not.
func isGone(err error) bool {
	return errors.Is(err, io.EOF) || socket.IsGone(err) && !errors.Is(err, net.ErrClosed)
}

// leave takes the request off its line, the first time.
func (r *ride) leave() {
	r.mu.Lock()
	l := r.on
	r.on = nil
	r.mu.Unlock()
	if l != nil {
		l.leave()
	}
}

// settle closes the body if that was put off for another ride, which is not
// needed any more.
func (r *ride) settle() {
	if r.body == nil {
		return
	}
	r.mu.Lock()
	putOff := r.body.putOff
	r.body.putOff = false
	r.mu.Unlock()
	if putOff {
		_ = r.body.ReadCloser.Close()
	}
}

var errLate = errors.New("pool: connection was replaced before the request was sent")

// A cargo is a request's body. While the ride is late it cannot be read or
// closed, for the next ride will need it.
type cargo struct {
	io.ReadCloser
	ride *ride

	// Under the ride's lock.
	touched bool
	putOff  bool // a Close
}

// touch is false while the ride is late.
func (c *cargo) touch() bool {
	c.ride.mu.Lock()
	defer c.ride.mu.Unlock()
	c.touched = c.touched || !c.ride.late
	return !c.ride.late
}

func (c *cargo) Read(p []byte) (int, error) {
	if !c.touch() {
		return 0, errLate
	}
	return c.ReadCloser.Read(p)
}

func (c *cargo) Close() error {
	if c.touch() {
		return c.ReadCloser.Close()
	}
	c.ride.mu.Lock()
	c.putOff = true
	c.ride.mu.Unlock()
	return nil
}

// A tail is a response's body. Its end is the end of the ride.
type tail struct {
	io.ReadCloser
	end func()
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		t.end()
	}
	return n, err
}

func (t *tail) Close() error {
	defer t.end()
	return t.ReadCloser.Close()
}
