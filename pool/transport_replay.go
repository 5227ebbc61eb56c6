package pool

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/callosum-go/rover/internal/socket"
)

// A sending is a request that may have to be sent more than once.
type sending struct {
	request *http.Request
	load    *load // its body, nil if that is none, or in memory and can be had again
}

func (s *sending) init(req *http.Request) {
	s.request = req
	if req.Body != nil && req.Body != http.NoBody && !(req.GetBody != nil && isInMemory(req.Body)) {
		s.load = &load{ReadCloser: req.Body}
		s.carry(s.load)
	}
}

func (s *sending) carry(body io.ReadCloser) {
	copied := *s.request
	copied.Body = body
	s.request = &copied
}

// again makes the request ready to be sent once more; false: its body has been
// read and cannot be had again.
func (s *sending) again() bool {
	if s.load == nil && (s.request.Body == nil || s.request.Body == http.NoBody) || s.load != nil && s.load.fresh() {
		return true
	}
	if s.request.GetBody == nil {
		return false
	}
	body, err := s.request.GetBody()
	if err != nil {
		return false
	}
	if s.load != nil {
		s.load.finish(true)
		s.load = &load{ReadCloser: body}
		body = s.load
	}
	s.carry(body)
	return true
}

// done says that the request was answered, and will not be sent again; fail that
// neither it will, and that its body is to be closed in any case.
func (s *sending) done() { s.finish(false) }
func (s *sending) fail() { s.finish(true) }

func (s *sending) finish(close bool) {
	if s.load != nil {
		s.load.finish(close)
	} else if close && s.request.Body != nil {
		_ = s.request.Body.Close()
	}
}

// spoiled says that it was the body that failed.
func (s *sending) spoiled() bool {
	if s.load == nil {
		return false
	}
	s.load.mu.Lock()
	defer s.load.mu.Unlock()
	return s.load.failed
}

// A load is a request's body, closed once. A Close before the first Read is put
// off: net/http closes what it could not send, and then it may be sent again.
type load struct {
	io.ReadCloser

	mu                             sync.Mutex
	read, putOff, finished, closed bool
	failed                         bool // a Read has
}

func (l *load) Read(p []byte) (int, error) {
	l.mu.Lock()
	l.read = true
	l.mu.Unlock()
	n, err := l.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		l.mu.Lock()
		l.failed = true
		l.mu.Unlock()
	}
	return n, err
}

func (l *load) Close() error {
	l.mu.Lock()
	l.putOff = !l.read && !l.finished
	closes := !l.putOff && !l.closed
	l.closed = l.closed || closes
	l.mu.Unlock()
	if closes {
		return l.ReadCloser.Close()
	}
	return nil
}

// fresh says that nothing has been read, and takes back what was put off.
func (l *load) fresh() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.putOff = false
	return !l.read && !l.closed
}

// finish ends the putting off. close: it is closed in any case.
func (l *load) finish(close bool) {
	l.mu.Lock()
	l.finished = true
	close = close || l.putOff
	l.mu.Unlock()
	if close {
		_ = l.Close()
	}
}

// nops are what io.NopCloser returns.
var nops = [...]reflect.Type{
	reflect.TypeOf(io.NopCloser(struct{ io.Reader }{})),
	reflect.TypeOf(io.NopCloser(&bytes.Reader{})),
}

// isInMemory says whether a body is of bytes that are here: it cannot fail, and
// to close it does nothing. net/http sends such a body in one write with the
// header, which it would not if it were wrapped.
func isInMemory(body io.ReadCloser) bool {
	if t := reflect.TypeOf(body); t != nops[0] && t != nops[1] {
		return false
	}
	switch reflect.ValueOf(body).Field(0).Interface().(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	}
	return false
}

// isHarmless says whether a request does no harm if it is done twice, as net/http
// has it: RFC 9110, 9.2.1, or an Idempotency-Key.
func isHarmless(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return len(req.Header["Idempotency-Key"]) > 0 || len(req.Header["X-Idempotency-Key"]) > 0
}

// isGone says whether the other side ended the connection.
func isGone(err error) bool {
	return errors.Is(err, io.EOF) || socket.IsGone(err) && !errors.Is(err, net.ErrClosed)
}

func isTimeout(err error) bool {
	var limit net.Error
	return errors.As(err, &limit) && limit.Timeout()
}

// judge says of a request that failed whether no server has begun with it, and
// whether nothing of an answer came on a connection that is no more.
func (c *client) judge(err error, before mark) (unsent, mute bool) {
	now, ended := c.line.mark(), c.Err() != nil
	if !c.http2 {
		silent := now.got == before.got || strings.HasPrefix(err.Error(), silentHTTP1) // TLS ends with a message of its own
		return ended && now.sent == before.sent, ended && silent
	}
	cut := isGone(err) || errors.Is(err, io.ErrUnexpectedEOF) || strings.HasPrefix(err.Error(), cutHTTP2)
	return isUnsentHTTP2(err), ended && cut
}

func isUnsentHTTP2(err error) bool {
	var reset streamError
	if errors.As(err, &reset) {
		return reset.Code == refusedStream
	}
	return slices.Contains(unsentHTTP2[:], err.Error())
}

// isGuilty says whether it is the server's fault that a request failed which it
// may have seen: it ended the connection, or was late. That a caller's deadline
// passed is, if the server has never answered on the connection.
func (c *client) isGuilty(err error, ctx context.Context) bool {
	if ctx.Err() != nil {
		return errors.Is(ctx.Err(), context.DeadlineExceeded) && !c.line.answered.Load()
	}
	return c.Err() != nil || isTimeout(err)
}

// What net/http's HTTP/2 says when no server has begun with a request. None of
// its errors is exported.
var unsentHTTP2 = [...]string{
	"http2: client conn not usable",
	"http2: client conn could not be established",
	"http2: Transport received Server's graceful shutdown GOAWAY",
}

// What its HTTP/1.1 says when the first byte of an answer did not come.
const silentHTTP1 = "net/http: Transport failed to read from server: "

// And what HTTP/2 says when a server that went away has left a request unanswered.
const cutHTTP2 = "http2: server sent GOAWAY and closed the connection"

const refusedStream = 7 // REFUSED_STREAM of RFC 9113, 7

// A streamError is what net/http's own makes itself for errors.As: it goes by
// the names and types of the fields.
type streamError struct {
	StreamID, Code uint32
	Cause          error
}

func (e streamError) Error() string { return e.Cause.Error() }
