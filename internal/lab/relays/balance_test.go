//go:build unix

package relays

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
)

const (
	clients = 12
	within  = 30 * time.Second // the policy needs 16 intervals for a review, of 1 s
)

// balance lets clients hold connections over three services, and kills a service, a
// front and the proxy in turn: load is even again each time, and nobody who was not
// killed has lost an answer.
func balance(t *testing.T, mode string, newService func(i int) *service, ask func(net.Conn, *bufio.Reader) (string, error)) {
	t.Parallel() // it waits, most of the time
	var services []*service
	for i := range 3 {
		services = append(services, newService(i))
	}
	s := newScene(t, mode, services, "--max", fmt.Sprint(clients+1), "--idle", "1")
	began := time.Now()
	step := func(what string) {
		t.Helper()
		t.Logf("%s: even after %v", what, time.Since(began).Round(10*time.Millisecond))
		began = time.Now()
	}
	c := newCrowd(t, s.at, clients, 2*time.Second, ask)
	even := func(what string, n int) {
		t.Helper()
		end := time.Now().Add(within)
		for !c.even(clients, n) {
			if time.Now().After(end) {
				t.Fatalf("%s: not even within %v: %v", what, within, c.spread())
			}
			sleep(c.stop, 20*time.Millisecond)
		}
		step(what)
	}
	even("start", 3)
	lost := c.lostSoFar()
	kit.Equal(t, "lost at the start", lost, 0)

	services[0].kill()
	even("a service is killed", 2)
	lost = c.lostSoFar()
	services[0].up(t)
	even("it is back", 3)
	kit.Equal(t, "answers lost while load went back", c.lostSoFar(), lost)

	s.fronts[1].kill()
	even("a front is killed", 2)
	lost = c.lostSoFar()
	s.front(1)
	even("it is back", 3)
	kit.Equal(t, "answers lost while load went back", c.lostSoFar(), lost)

	s.fronts[2].stop()
	even("a front is stopped", 2)
	kit.Equal(t, "answers lost by a stop in order", c.lostSoFar(), lost)
	s.front(2)
	even("it is back", 3)

	s.proxy.kill()
	s.begin("--max", fmt.Sprint(clients+1), "--idle", "1")
	even("the proxy is killed and back", 3)
	c.end()
	s.end()
}

// echoes is a service in this process, which answers with its number.
func echoes(t *testing.T) func(i int) *service {
	return func(i int) *service {
		s := &service{port: free(t)}
		s.start = func() func() {
			l := kit.Must(net.Listen("tcp", s.address()))(t)
			var mu sync.Mutex
			conns := make(map[net.Conn]bool)
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					mu.Lock()
					conns[c] = true
					mu.Unlock()
					go func() {
						defer c.Close()
						for r := bufio.NewReader(c); ; {
							if _, err := r.ReadString('\n'); err != nil {
								return
							}
							fmt.Fprintf(c, "%d\n", i)
						}
					}()
				}
			}()
			return func() {
				l.Close()
				mu.Lock()
				defer mu.Unlock()
				for c := range conns {
					c.(*net.TCPConn).SetLinger(0)
					c.Close()
				}
				clear(conns)
			}
		}
		return s
	}
}

func askEcho(c net.Conn, r *bufio.Reader) (string, error) {
	if _, err := io.WriteString(c, "who?\n"); err != nil {
		return "", err
	}
	line, err := r.ReadString('\n')
	return strings.TrimSpace(line), err
}

func TestBalanceOfEchoes(t *testing.T) {
	for _, mode := range []string{"eager", "lazy"} {
		t.Run(mode, func(t *testing.T) { balance(t, mode, echoes(t), askEcho) })
	}
}
