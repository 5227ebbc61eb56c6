//go:build unix

package relays

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	_ "github.com/callosum-go/rover/relay" // what the command is made of: go test runs again when it has changed
)

// rover builds the command once for all tests.
var rover = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "relays")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "rover")
	out, err := exec.Command("go", "build", "-o", file, "github.com/callosum-go/rover/cmd/rover").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := rover(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// A process is a child that ends with the test at the latest.
type process struct {
	*exec.Cmd
	t     testing.TB
	ended chan struct{}
	log   *os.File
}

func launch(t testing.TB, log, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(name, args...), t: t, ended: make(chan struct{})}
	p.log = kit.Must(os.Create(filepath.Join(t.TempDir(), log)))(t)
	p.Stdout, p.Stderr = p.log, p.log
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // nginx and PostgreSQL have children
	kit.Check(t, p.Start())
	go func() { _ = p.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			text, _ := os.ReadFile(p.log.Name())
			t.Logf("%s:\n%s", log, tail(text))
		}
		p.log.Close()
	})
	return p
}

func tail(text []byte) []byte { return text[max(len(text)-2000, 0):] }

// kill is kill -9, of its children too.
func (p *process) kill() {
	_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// stop ends it by SIGTERM, and wants exit code 0.
func (p *process) stop() {
	p.t.Helper()
	_ = p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		kit.Equal(p.t, "exit code of "+p.Args[0]+" "+p.Args[1], p.ProcessState.ExitCode(), 0)
	case <-time.After(60 * time.Second):
		p.t.Fatalf("%v does not end", p.Args)
	}
}

// summary is the last line of a front or proxy that has ended.
func (p *process) summary() (s struct {
	Served  int            `json:"served"`
	Sent    int64          `json:"sent"`
	Got     int64          `json:"got"`
	Retired int            `json:"retired"`
	Refused map[string]int `json:"refused"`
}) {
	p.t.Helper()
	text := kit.Must(os.ReadFile(p.log.Name()))(p.t)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	kit.Check(p.t, json.Unmarshal([]byte(lines[len(lines)-1]), &s))
	return s
}

// free is a port on loopback that nobody listens on just now.
func free(t testing.TB) string {
	t.Helper()
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// up waits until somebody listens at address.
func up(t testing.TB, address string) {
	t.Helper()
	kit.Within(t, "somebody listens at "+address, 30*time.Second, func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// A service is a server that knows nothing of slots, on loopback.
type service struct {
	port  string
	start func() (kill func())
	kill  func()
}

func (s *service) up(t testing.TB) {
	t.Helper()
	s.kill = s.start()
	up(t, s.address())
}

func (s *service) address() string { return "127.0.0.1:" + s.port }

// A scene is services with a front each, and a proxy over them.
type scene struct {
	t        testing.TB
	services []*service
	fronts   []*process
	ports    []string // of the fronts
	proxy    *process
	at       string // of the proxy
	mode     string
}

func newScene(t testing.TB, mode string, services []*service, flags ...string) *scene {
	t.Helper()
	s := &scene{t: t, services: services, mode: mode, at: "127.0.0.1:" + free(t)}
	for i, service := range services {
		service.up(t)
		t.Cleanup(func() { service.kill() })
		s.ports = append(s.ports, free(t))
		s.fronts = append(s.fronts, nil)
		s.front(i)
	}
	s.begin(flags...)
	return s
}

// front starts a service's front, again if it was killed.
func (s *scene) front(i int) {
	s.t.Helper()
	s.fronts[i] = s.rover("front", "--listen", "127.0.0.1:"+s.ports[i], "--backend", s.services[i].address(), "--mode", s.mode, "--json", "--drain", "3s")
	up(s.t, "127.0.0.1:"+s.ports[i])
}

// begin starts the proxy.
func (s *scene) begin(flags ...string) {
	s.t.Helper()
	args := []string{"proxy", "--listen", s.at, "--json", "--drain", "3s", "--quiet", "500ms"}
	for i, port := range s.ports {
		args = append(args, "--server", fmt.Sprintf("%d=127.0.0.1:%s", i, port))
	}
	s.proxy = s.rover(append(args, flags...)...)
	up(s.t, s.at)
}

func (s *scene) rover(args ...string) *process {
	s.t.Helper()
	file := kit.Must(rover())(s.t)
	return launch(s.t, args[0], file, args...)
}

// end stops the proxy, then the fronts. Nothing must be lost on the way: what the
// proxy has sent is what the fronts have.
func (s *scene) end() {
	s.t.Helper()
	s.proxy.stop()
	for _, f := range s.fronts {
		f.stop()
	}
}

// A crowd is clients that hold a connection each, ask now and then, and dial again
// when it ends.
type crowd struct {
	mu    sync.Mutex
	who   map[int]string // that answers each
	lost  int            // questions without an answer, on a connection that was not killed
	asked int
	stop  chan struct{}
	gone  sync.WaitGroup
}

// newCrowd has n clients ask who answers, by ask, every so often.
func newCrowd(t testing.TB, at string, n int, every time.Duration, ask func(net.Conn, *bufio.Reader) (string, error)) *crowd {
	c := &crowd{who: make(map[int]string), stop: make(chan struct{})}
	for i := range n {
		c.gone.Go(func() {
			for c.visit(i, at, every, ask) {
			}
		})
	}
	t.Cleanup(c.end)
	return c
}

func (c *crowd) end() {
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.gone.Wait()
}

func (c *crowd) visit(i int, at string, every time.Duration, ask func(net.Conn, *bufio.Reader) (string, error)) (more bool) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	conn, err := net.DialTimeout("tcp", at, time.Second)
	if err == nil {
		defer conn.Close()
	}
	var r *bufio.Reader
	for {
		select {
		case <-c.stop:
			return false
		case <-pause.C:
		}
		if err != nil {
			c.is(i, "", false)
			sleep(c.stop, 100*time.Millisecond)
			return true
		}
		if r == nil {
			r = bufio.NewReader(conn)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		var who string
		who, err = ask(conn, r)
		c.is(i, who, err != nil && err != io.EOF)
		if err == nil {
			err = idle(conn, r, every, c.stop) // it may end while nobody asks
			pause.Reset(0)
		} else {
			pause.Reset(0)
		}
	}
}

// idle waits, and notices when the connection ends.
func idle(conn net.Conn, r *bufio.Reader, d time.Duration, stop <-chan struct{}) error {
	_ = conn.SetReadDeadline(time.Now().Add(d))
	if _, err := r.ReadByte(); err != nil {
		if e, ok := err.(net.Error); ok && e.Timeout() {
			return nil
		}
		return err
	}
	return fmt.Errorf("a byte nobody asked for")
}

func (c *crowd) is(i int, who string, lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.who[i] = who
	c.asked++
	if lost {
		c.lost++
	}
}

// spread is how many clients each service has.
func (c *crowd) spread() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := make(map[string]int)
	for _, who := range c.who {
		n[who]++
	}
	return n
}

// even says whether all clients are served, and no service has more than two
// clients above another: connections differ by one, and one of them is idle.
func (c *crowd) even(clients, services int) bool {
	n := c.spread()
	if n[""] > 0 || len(n) != services {
		return false
	}
	low, high, sum := clients, 0, 0
	for _, k := range n {
		low, high, sum = min(low, k), max(high, k), sum+k
	}
	return sum == clients && high-low <= 2
}

func (c *crowd) lostSoFar() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

func sleep(stop <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stop:
	}
}

// need skips the test where a program is missing, and says where it is.
func need(t testing.TB, name string, also ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, pattern := range also {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}
