package relay_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/relay"
)

// Much goes by the kernel: this process reads it once, at its end, and never in
// between, also under the wrappers of a front and of a pool.
func TestSplice(t *testing.T) {
	const size = 64 << 20
	read := func() (n int) {
		text, err := os.ReadFile("/proc/self/io")
		if err != nil {
			t.Skip(err)
		}
		fmt.Sscanf(string(text), "rchar: %d", &n)
		return n
	}
	check := func(what string, from, to net.Conn) {
		before := read()
		var writer sync.WaitGroup
		writer.Go(func() {
			piece := make([]byte, 1<<18)
			for range size / len(piece) {
				if _, err := from.Write(piece); err != nil {
					t.Error(err)
					return
				}
			}
			from.(interface{ CloseWrite() error }).CloseWrite()
		})
		n := kit.Must(io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{to}))(t)
		writer.Wait()
		kit.Equal(t, what, n, size)
		if share := float64(read()-before) / size; share > 1.3 {
			t.Errorf("%s: read %.2f times", what, share)
		}
	}
	client, server, result := joined(t, "tcp", "tcp")
	check("join", client, server)
	server.Close()
	result()
	client, server, result = joined(t, "unix", "tcp")
	check("join with a Unix socket", client, server)
	server.Close()
	result()

	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	front, _ := serving(t, &relay.Front{Dial: relay.Dialer(l.Addr().String()), Drain: time.Second})
	at, _ := proxying(t, &relay.Proxy{Drain: time.Second}, map[string]string{"a": front})
	c, _ := dial(t, at)
	io.WriteString(c, strings.Repeat("x", 10))
	for { // those that the pool keeps for later say nothing
		s := kit.Must(l.Accept())(t)
		defer s.Close()
		s.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, _ := io.ReadFull(s, make([]byte, 10)); n == 10 {
			s.SetReadDeadline(time.Time{})
			check("proxy and front", c, s)
			check("and back", s, c)
			return
		}
	}
}
