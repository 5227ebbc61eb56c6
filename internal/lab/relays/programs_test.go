//go:build unix

package relays

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// output runs a client to its end.
func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, tail(out))
	}
	return string(out)
}

// redis is a Redis server.
func redis(t testing.TB) func(i int) *service {
	server := need(t, "redis-server")
	return func(int) *service {
		s := &service{port: free(t)}
		s.start = func() func() {
			return launch(t, "redis", server, "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no").kill
		}
		return s
	}
}

// askRedis asks for the port, as a client in another language would.
func askRedis(c net.Conn, r *bufio.Reader) (string, error) {
	if _, err := io.WriteString(c, "CONFIG GET port\r\n"); err != nil {
		return "", err
	}
	last := ""
	for range 5 { // *2 $4 port $5 12345
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		last = strings.TrimSpace(line)
	}
	return last, nil
}

func TestRedis(t *testing.T) {
	t.Parallel()
	cli, benchmark := need(t, "redis-cli"), need(t, "redis-benchmark")
	for _, mode := range []string{"eager", "lazy"} {
		one := redis(t)(0)
		s := newScene(t, mode, []*service{one}, "--max", "60")
		_, port, _ := net.SplitHostPort(s.at)
		kit.Equal(t, "PING", output(t, cli, "-p", port, "PING"), "PONG\n")
		value := strings.Repeat("0123456789", 10_000)
		output(t, cli, "-p", port, "SET", "key", value)
		kit.Equal(t, "GET", output(t, cli, "-p", port, "GET", "key"), value+"\n")
		for _, clients := range []string{"1", "50"} {
			out := output(t, benchmark, "-p", port, "-c", clients, "-n", "5000", "-t", "set,get", "-q")
			if strings.Contains(out, "rror") || strings.Count(out, "requests per second") != 2 {
				t.Errorf("redis-benchmark, %s clients:\n%s", clients, out)
			}
		}
		s.end()
		for _, p := range append(s.fronts, s.proxy) {
			if n := len(p.summary().Refused); n > 0 {
				t.Errorf("%s refused %v", p.Args[1], p.summary().Refused)
			}
		}
	}
}

func TestBalanceOfRedis(t *testing.T) { balance(t, "lazy", redis(t), askRedis) }

// postgres is a PostgreSQL server of its own, whose user is called postgres and
// needs no password.
func postgres(t testing.TB) *service {
	initdb := need(t, "initdb", "/usr/lib/postgresql/*/bin/initdb")
	dir := kit.Must(os.MkdirTemp("", "relays"))(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	data := filepath.Join(dir, "data")
	as := func(name string, args ...string) (string, []string) { return name, args }
	if os.Getuid() == 0 { // which PostgreSQL refuses to run as
		owner, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("root, and there is no user postgres")
		}
		runuser := need(t, "runuser")
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		kit.Check(t, os.Chown(dir, uid, gid))
		as = func(name string, args ...string) (string, []string) {
			return runuser, append([]string{"-u", "postgres", "--", name}, args...)
		}
	}
	name, args := as(initdb, "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
	output(t, name, args...)
	s := &service{port: free(t)}
	s.start = func() func() {
		name, args := as(filepath.Join(filepath.Dir(initdb), "postgres"), "-D", data, "-p", s.port, "-h", "127.0.0.1", "-k", dir, "-F")
		return launch(t, "postgres", name, args...).kill
	}
	return s
}

// psql and pgbench work, and a cancel arrives.
func TestPostgres(t *testing.T) {
	t.Parallel()
	psql, pgbench := need(t, "psql"), need(t, "pgbench", "/usr/lib/postgresql/*/bin/pgbench")
	s := newScene(t, "lazy", []*service{postgres(t)}, "--max", "20")
	_, port, _ := net.SplitHostPort(s.at)
	to := []string{"-h", "127.0.0.1", "-p", port, "-U", "postgres"}
	kit.Within(t, "PostgreSQL is ready", 30*time.Second, func() bool {
		return exec.Command(psql, append(to, "-c", "select 1", "postgres")...).Run() == nil
	})
	kit.Equal(t, "select", output(t, psql, append(to, "-Atc", "select 41+1", "postgres")...), "42\n")
	output(t, pgbench, append(to, "-i", "-q", "postgres")...)
	out := output(t, pgbench, append(to, "-c", "8", "-j", "2", "-t", "50", "postgres")...)
	if !strings.Contains(out, "number of transactions actually processed: 400/400") {
		t.Errorf("pgbench:\n%s", out)
	}
	long := exec.Command(psql, append(to, "-c", "select pg_sleep(60)", "postgres")...)
	var said strings.Builder
	long.Stderr = &said
	kit.Check(t, long.Start())
	sleeps := append(to, "-Atc", "select count(*) from pg_stat_activity where query like 'select pg_sleep%'", "postgres")
	kit.Within(t, "it sleeps", 20*time.Second, func() bool {
		out, _ := exec.Command(psql, sleeps...).Output()
		return strings.TrimSpace(string(out)) == "1"
	})
	kit.Check(t, long.Process.Signal(syscall.SIGINT))
	_ = long.Wait()
	if !strings.Contains(said.String(), "canceling statement due to user request") {
		t.Errorf("a cancel: %s", said.String())
	}
	s.end()
}

// nginx is a web server that says its port.
func nginx(t testing.TB) func(i int) *service {
	server := need(t, "nginx", "/usr/sbin/nginx")
	return func(int) *service {
		s := &service{port: free(t)}
		dir := t.TempDir()
		config := filepath.Join(dir, "nginx.conf")
		kit.Check(t, os.WriteFile(filepath.Join(dir, "big"), make([]byte, 3<<20), 0o644))
		kit.Check(t, os.WriteFile(config, fmt.Appendf(nil, `daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr; user %[3]s;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server {
		listen 127.0.0.1:%[2]s;
		location = /who { return 200 "%[2]s\n"; }
		location / { root %[1]s; }
	}
}`, dir, s.port, kit.Must(user.Current())(t).Username), 0o644))
		s.start = func() func() { return launch(t, "nginx", server, "-p", dir, "-c", config).kill }
		return s
	}
}

// askNginx is HTTP/1.1 on a connection that stays open.
func askNginx(c net.Conn, r *bufio.Reader) (string, error) {
	if _, err := io.WriteString(c, "GET /who HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		return "", err
	}
	res, err := http.ReadResponse(r, nil)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "", io.EOF
	} else if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return strings.TrimSpace(string(body)), err
}

func TestNginx(t *testing.T) {
	t.Parallel()
	s := newScene(t, "lazy", []*service{nginx(t)(0), nginx(t)(1)}, "--max", "20")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	for range 20 {
		res := kit.Must(client.Get("http://" + s.at + "/big"))(t)
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if n != 3<<20 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	client.CloseIdleConnections()
	s.end()
}

func TestBalanceOfNginx(t *testing.T) { balance(t, "lazy", nginx(t), askNginx) }
