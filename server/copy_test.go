package server_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// endless is a source that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A copy that fails because its client is gone frees the slot; the error of the
// other end does not.
func TestACopyFreesOnlyWhatIsGone(t *testing.T) {
	for name, test := range map[string]struct {
		copy func(c, other net.Conn) error // between c and another connection
		one  bool                          // the other is not looked at
	}{
		"to c":             {func(c, _ net.Conn) error { _, err := io.Copy(c, endless{}); return err }, true},
		"from c":           {func(c, _ net.Conn) error { _, err := io.Copy(io.Discard, c); return err }, true},
		"from c to other":  {func(c, other net.Conn) error { _, err := io.Copy(other, c); return err }, false},
		"from other to c":  {func(c, other net.Conn) error { _, err := io.Copy(c, other); return err }, false},
		"from c, no Slice": {func(c, other net.Conn) error { _, err := io.Copy(struct{ io.Writer }{other}, c); return err }, false},
	} {
		for _, whose := range []string{"client", "other"} {
			if test.one && whose == "other" {
				continue
			}
			t.Run(name+", the "+whose+" is gone", func(t *testing.T) {
				l := listen(t)
				client := dial(t, l)
				c := accept(t, l)
				slotOf(t, client)
				plain := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
				defer plain.Close()
				far := dial(t, plain)
				other := kit.Must(plain.Accept())(t)
				defer other.Close()

				// both send, so that the copy is under way, and its end is met
				kit.Must(client.Write(make([]byte, 10)))(t)
				kit.Must(far.Write(make([]byte, 10)))(t)
				done := make(chan error)
				go func() { done <- test.copy(c, other) }()
				gone, stays := client, far
				if whose == "other" {
					gone, stays = far, client
				}
				go func() { // until the copy has met it
					for _, err := stays.Write([]byte("x")); err == nil; _, err = stays.Write(make([]byte, 1000)) {
					}
				}()
				refuse(t, gone)
				if err := <-done; err == nil {
					t.Fatal("the copy saw no end")
				}
				want := 0
				if whose == "other" {
					want = 1
				}
				kit.Equal(t, "in use", l.Stats().InUse, want)
				c.Close()
				kit.Equal(t, "in use at the end", l.Stats().InUse, 0)
				kit.Equal(t, "freed", l.Stats().Freed, 1)
			})
		}
	}
}

// WriteTo and ReadFrom lose no byte, with a first byte that was read ahead and
// without, and an end in both directions frees the slot.
func TestCopiesAreWhole(t *testing.T) {
	for name, opts := range map[string][]server.Option{"": nil, "client first": {server.WithClientFirst()}} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, opts...)
			client := dial(t, l)
			conns := make(chan net.Conn, 1)
			go func() { conns <- kit.Must(l.Accept())(t) }()
			slotOf(t, client)
			sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
			go func() {
				client.Write(sent)
				client.(*net.TCPConn).CloseWrite()
			}()
			c := (<-conns).(*server.Conn)
			var got bytes.Buffer
			kit.Equal(t, "bytes", kit.Must(c.WriteTo(&got))(t), int64(len(sent)))
			kit.Equal(t, "all of them", bytes.Equal(got.Bytes(), sent), true)
			kit.Equal(t, "bytes back", kit.Must(c.ReadFrom(strings.NewReader("thanks")))(t), 6)
			kit.Equal(t, "in use while we may write", l.Stats().InUse, 1)
			kit.Check(t, c.CloseWrite())
			kit.Equal(t, "in use when both have ended", l.Stats().InUse, 0)
			kit.Equal(t, "the answer", string(kit.Must(io.ReadAll(client))(t)), "thanks")
			kit.Check(t, c.Close())
		})
	}
}

// The client may end its direction after ours.
func TestOursEndsFirst(t *testing.T) {
	l := listen(t)
	client := dial(t, l)
	c := accept(t, l)
	slotOf(t, client)
	kit.Check(t, c.CloseWrite())
	kit.Equal(t, "in use", l.Stats().InUse, 1)
	kit.Check(t, client.(*net.TCPConn).CloseWrite())
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read: %v", err)
	}
	kit.Equal(t, "in use when both have ended", l.Stats().InUse, 0)
}
