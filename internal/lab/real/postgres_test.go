package real_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// databases are three PostgreSQL servers of this machine's package, each with a
// front. Their cluster_name says which is which.
func databases(t *testing.T) (servers [3]*front) {
	t.Helper()
	bin, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bin) == 0 || os.Getuid() != 0 {
		t.Skip("wants Debian's postgresql, and root to start it")
	}
	for i := range servers {
		dir := kit.Must(os.MkdirTemp("", "rover-postgres-"))(t)
		t.Cleanup(func() { os.RemoveAll(dir) })
		kit.Check(t, os.Chmod(dir, 0o777))
		run := func(command string) {
			t.Helper()
			if out, err := exec.Command("su", "postgres", "-c", "cd / && "+command).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
		}
		run(fmt.Sprintf("%s/initdb -A trust -N -D %s/data >/dev/null", bin[0], dir))
		run(fmt.Sprintf("%s/pg_ctl -w -D %s/data -l %s/log -o '-c listen_addresses= -c unix_socket_directories=%s -c fsync=off -c cluster_name=%d' start",
			bin[0], dir, dir, dir, i))
		t.Cleanup(func() { run(fmt.Sprintf("%s/pg_ctl -w -m immediate -D %s/data stop", bin[0], dir)) })
		servers[i] = serveFor(t, func() (net.Conn, error) { return net.Dial("unix", dir+"/.s.PGSQL.5432") })
	}
	return servers
}

// overPool has pgx dial by the pool. To cancel a query it dials the address of
// the connection that has it, which must lead to the same server.
func overPool(config *pgconn.Config, conns *pool.Pool) {
	var ids sync.Map // of servers, by address
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(ctx context.Context, _, address string) (net.Conn, error) {
		if id, known := ids.Load(address); known {
			return conns.ForServer(ctx, id.(string))
		}
		c, err := conns.Get(ctx)
		if err != nil {
			return nil, err
		}
		ids.Store(c.RemoteAddr().String(), c.ID())
		return c, nil
	}
}

const (
	database  = "postgres://postgres@pool/postgres?sslmode=disable"
	whoAreYou = "select current_setting('cluster_name')::int"
)

func TestPostgres(t *testing.T) {
	servers := databases(t)
	t.Run("pgx", func(t *testing.T) { pgxLives(t, servers) })
	t.Run("cancel", func(t *testing.T) { pgxCancels(t, servers) })
	t.Run("database/sql", func(t *testing.T) { sqlLives(t, servers) })
}

func pgxLives(t *testing.T, servers [3]*front) {
	s := open(t, servers, pool.WithIdle(0, 2))
	config := kit.Must(pgxpool.ParseConfig(database))(t)
	overPool(&config.ConnConfig.Config, s.Pool)
	config.MaxConns = 6
	config.MaxConnLifetime = 2 * time.Second
	db := kit.Must(pgxpool.NewWithConfig(context.Background(), config))(t)
	defer db.Close()
	s.ask = func(ctx context.Context) (id int, err error) {
		err = db.QueryRow(ctx, whoAreYou).Scan(&id)
		return id, err
	}
	s.live(t, 6, 6)
}

func pgxCancels(t *testing.T, servers [3]*front) {
	s := open(t, servers)
	config := kit.Must(pgx.ParseConfig(database))(t)
	overPool(&config.Config, s.Pool)
	for range 12 {
		ctx, end := context.WithTimeout(t.Context(), 20*time.Second)
		conn := kit.Must(pgx.ConnectConfig(ctx, config))(t)
		ran := make(chan error, 1)
		go func() { _, err := conn.Exec(ctx, "select pg_sleep(10)"); ran <- err }()
		other := kit.Must(pgx.ConnectConfig(ctx, config))(t)
		var err error
		for again := true; again; { // until the query runs there is nothing to cancel
			kit.Check(t, conn.PgConn().CancelRequest(ctx))
			select {
			case err = <-ran:
				again = false
			case <-time.After(50 * time.Millisecond):
			}
		}
		if why := new(pgconn.PgError); !errors.As(err, &why) || why.Code != "57014" {
			t.Errorf("the query ended by %v", err)
		}
		kit.Check(t, conn.Close(ctx))
		kit.Check(t, other.Close(ctx))
		end()
	}
}

func sqlLives(t *testing.T, servers [3]*front) {
	s := open(t, servers, pool.WithIdle(0, 2))
	config := kit.Must(pgx.ParseConfig(database))(t)
	overPool(&config.Config, s.Pool)
	db := sql.OpenDB(stdlib.GetConnector(*config))
	defer db.Close()
	db.SetMaxOpenConns(6)
	db.SetMaxIdleConns(6)
	db.SetConnMaxLifetime(2 * time.Second)
	s.ask = func(ctx context.Context) (id int, err error) {
		err = db.QueryRowContext(ctx, whoAreYou).Scan(&id)
		return id, err
	}
	s.live(t, 6, 6)
}
