package pool

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
)

// load is a body that tells whether it was closed.
type load struct {
	io.Reader
	closed int
}

func (c *load) Close() error {
	c.closed++
	return nil
}

// A ride on a line that was closed in that moment leaves the body to the next
// ride, whatever http.Transport does with it.
func TestALateRideLeavesTheBodyAlone(t *testing.T) {
	body := &load{Reader: strings.NewReader("load")}
	req, err := http.NewRequest("POST", "http://pool/", body)
	if err != nil {
		t.Fatal(err)
	}
	late := newRide(req)
	late.board(httptrace.GotConnInfo{Conn: &line{closed: true}})
	if n, err := late.request.Body.Read(make([]byte, 9)); n != 0 || err != errLate {
		t.Fatalf("read %d, %v", n, err)
	}
	late.request.Body.Close()
	if !late.missed() || body.closed != 0 {
		t.Fatalf("missed: %v, body closed %d times", late.missed(), body.closed)
	}

	next := newRide(req)
	next.board(httptrace.GotConnInfo{Conn: &line{}})
	if got, err := io.ReadAll(next.request.Body); string(got) != "load" || err != nil {
		t.Fatalf("read %q, %v", got, err)
	}
	next.board(httptrace.GotConnInfo{Conn: &line{closed: true}})
	if next.missed() {
		t.Fatal("sent anew without its body")
	}
	next.request.Body.Close()
	next.settle()
	next.settle()
	if body.closed != 1 {
		t.Fatalf("body closed %d times", body.closed)
	}
}
