// Command postgres asks PostgreSQL servers who they are, by pgx over a pool. Each
// server has a front beside it that speaks slots.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const usage = `start a front beside each server, then this with the fronts' addresses:

    rover front --listen 127.0.0.1:4040 --backend 127.0.0.1:5432 --mode lazy
    DATABASE_URL='postgres://user:password@pool/db?sslmode=disable' go run ./postgres 127.0.0.1:4040`

func main() {
	if len(os.Args) < 2 {
		fmt.Println(usage)
		return
	}
	servers := map[string]rover.Server{}
	for _, address := range os.Args[1:] {
		var s rover.Server
		if err := s.UnmarshalText([]byte(address)); err != nil {
			log.Fatal(err)
		}
		servers[address] = s
	}
	// A server ends who does not log in, and only pgx can: one raw connection is
	// enough in hand.
	conns, err := pool.Open(context.Background(), pool.WithMax(6), pool.WithIdle(0, 1), pool.WithRover(rover.WithServers(servers)))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	config.MaxConns = 6
	config.ConnConfig.DialFunc = conns.DialContext
	config.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.AfterRelease = stays
	db, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for range 10 {
		var port string
		if err := db.QueryRow(context.Background(), "select current_setting('port')").Scan(&port); err != nil {
			log.Fatal(err)
		}
		fmt.Println("the server at port", port, "has answered")
	}
}

// stays is false to a connection that the pool has replaced: pgx closes it, and
// dials the better one.
func stays(c *pgx.Conn) bool {
	loan, ok := c.PgConn().Conn().(*pool.Conn)
	if !ok {
		return true
	}
	select {
	case <-loan.Replaced():
		return false
	default:
		return true
	}
}
