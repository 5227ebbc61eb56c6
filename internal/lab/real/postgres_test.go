package real

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// newPostgres is a PostgreSQL of Debian's, which ends who does not log in
// within 2 s. It refuses to run as root, so somebody else has to.
func newPostgres(t *testing.T, id string) *backend {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bins) == 0 || os.Getuid() != 0 {
		t.Skip("no PostgreSQL, or not root (Debian: apt-get install postgresql)")
	}
	dir := kit.Must(os.MkdirTemp("", "rover"))(t)
	kit.Check(t, os.Chmod(dir, 0o777))
	t.Cleanup(func() { os.RemoveAll(dir) })
	run := func(command string, args ...any) {
		t.Helper()
		if out, err := exec.Command("su", "postgres", "-c", "cd / && "+bins[0]+"/"+fmt.Sprintf(command, args...)).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	free := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	at := free.Addr().(*net.TCPAddr)
	free.Close()
	run("initdb -A trust -N -D %s/data >/dev/null", dir)
	run("pg_ctl -w -D %s/data -l %s/log -o '-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s -c fsync=off -c cluster_name=%s "+
		"-c authentication_timeout=2s' start >/dev/null", dir, dir, at.Port, dir, id)
	t.Cleanup(func() { run("pg_ctl -w -m immediate -D %s/data stop >/dev/null", dir) })
	return newBackend(t, func() (net.Conn, error) { return net.Dial("tcp", at.String()) })
}

// configured is a pgx configuration over the pool: what it dials by address, a
// cancel, goes to the server that has that address.
func configured(t *testing.T, p *pool.Pool) *pgx.ConnConfig {
	config := kit.Must(pgx.ParseConfig("postgres://postgres@pool/postgres?sslmode=disable"))(t)
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	var ids sync.Map // of servers, by address
	config.DialFunc = func(ctx context.Context, _, address string) (net.Conn, error) {
		if id, known := ids.Load(address); known {
			return p.ForServer(ctx, id.(string))
		}
		c, err := p.Get(ctx)
		if err != nil {
			return nil, err
		}
		ids.Store(c.RemoteAddr().String(), c.ID())
		return c, nil
	}
	return config
}

// replaced says that the pool wants a driver's connection back.
func replaced(conn net.Conn) bool {
	c, ok := conn.(*pool.Conn)
	if !ok {
		return false
	}
	select {
	case <-c.Replaced():
		return true
	default:
		return false
	}
}

func newPgxpool(t *testing.T, p *pool.Pool) *pgxpool.Pool {
	config := kit.Must(pgxpool.ParseConfig("postgres://postgres@pool/postgres?sslmode=disable"))(t)
	config.ConnConfig = configured(t, p)
	config.MaxConns = 6
	config.AfterRelease = func(c *pgx.Conn) bool { return !replaced(c.PgConn().Conn()) }
	db := kit.Must(pgxpool.NewWithConfig(context.Background(), config))(t)
	t.Cleanup(db.Close)
	return db
}

const whoAnswers = "select current_setting('cluster_name')"

func TestPgxFollowsTheBalance(t *testing.T) {
	f := newFleet(t, 2, map[string]*backend{"a": newPostgres(t, "a"), "b": newPostgres(t, "b")}, pool.WithMax(6), pool.WithIdle(0, 1))
	var clients []*pgxpool.Pool
	for _, p := range f.pools {
		clients = append(clients, newPgxpool(t, p))
	}
	f.story(func(client int) (id string, err error) {
		err = clients[client].QueryRow(context.Background(), whoAnswers).Scan(&id)
		return id, err
	}, 6, newPostgres(t, "c"), 15*time.Second)
}

func TestDatabaseSQLFollowsTheBalance(t *testing.T) {
	f := newFleet(t, 2, map[string]*backend{"a": newPostgres(t, "a"), "b": newPostgres(t, "b")}, pool.WithMax(6), pool.WithIdle(0, 1))
	var clients []*sql.DB
	for _, p := range f.pools {
		db := stdlib.OpenDB(*configured(t, p), stdlib.OptionResetSession(func(_ context.Context, c *pgx.Conn) error {
			if replaced(c.PgConn().Conn()) {
				return driver.ErrBadConn // it is given up, and another one dialed
			}
			return nil
		}))
		db.SetMaxOpenConns(6)
		db.SetMaxIdleConns(6)
		t.Cleanup(func() { db.Close() })
		clients = append(clients, db)
	}
	f.story(func(client int) (id string, err error) {
		err = clients[client].QueryRow(whoAnswers).Scan(&id)
		return id, err
	}, 6, newPostgres(t, "c"), 15*time.Second)
}

// A cancel goes to the server that has the query.
func TestPgxCancels(t *testing.T) {
	f := newFleet(t, 1, map[string]*backend{"a": newPostgres(t, "a"), "b": newPostgres(t, "b")}, pool.WithMax(6), pool.WithIdle(0, 1))
	db := newPgxpool(t, f.pools[0])
	for i := range 12 {
		c := kit.Must(db.Acquire(t.Context()))(t)
		done := make(chan error, 1)
		go func() {
			_, err := c.Exec(t.Context(), "select pg_sleep(5)")
			done <- err
		}()
		kit.Within(t, "the query runs", 10*time.Second, func() bool {
			var n int
			for range 4 { // whichever server has it
				var one int
				kit.Check(t, db.QueryRow(t.Context(), "select count(*) from pg_stat_activity where query = 'select pg_sleep(5)'").Scan(&one))
				n += one
			}
			return n > 0
		})
		kit.Check(t, c.Conn().PgConn().CancelRequest(t.Context()))
		if err := <-done; err == nil || !strings.Contains(err.Error(), "57014") {
			t.Errorf("query %d was not cancelled: %v", i, err)
		}
		c.Release()
	}
}

// Raw connections that nobody logs in to are cut; few are kept.
func TestPostgresAtRest(t *testing.T) {
	f := newFleet(t, 1, map[string]*backend{"a": newPostgres(t, "a")}, pool.WithMax(40), pool.WithIdle(0, 1))
	db := newPgxpool(t, f.pools[0])
	kit.Check(t, db.Ping(t.Context()))
	before := f.pools[0].Stats().Lost
	time.Sleep(5 * time.Second)
	if lost := f.pools[0].Stats().Lost - before; lost > 3 {
		t.Errorf("%d connections were cut in 5 s", lost)
	}
	kit.Check(t, db.Ping(t.Context()))
}
