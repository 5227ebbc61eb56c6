package pool

import (
	"net"
	"testing"

	"github.com/callosum-go/rover"
)

// The poller forgets who leaves by another way than the other side's end.
func TestThePollerForgets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := New(WithMax(1))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for slot := range 3 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if !p.Offer(rover.NewConnection("a", rover.Server{}, 3-slot, conn)) {
			t.Fatal("declined")
		}
		if n := len(p.poller.entries); n != 1 {
			t.Fatalf("%d are watched, 1 is kept", n)
		}
	}
	if c, ok := p.TryGet(); !ok || c.Close() != nil || len(p.poller.entries) != 0 {
		t.Fatalf("%d are watched, none is kept", len(p.poller.entries))
	}
}
