// Command postgres has pgx over PostgreSQL servers behind fronts that give out
// slots: postgres host:port… Where a query is given up, the cancel goes to the
// server that has it.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

func main() {
	log.SetFlags(0)
	servers := map[string]rover.Server{}
	for _, address := range os.Args[1:] {
		var server rover.Server
		if err := server.UnmarshalText([]byte(address)); err != nil {
			log.Fatal(err)
		}
		servers[address] = server
	}
	if len(servers) == 0 {
		log.Fatal("usage: DATABASE=postgres://user@service/db postgres host:port…\nEach is a front of a PostgreSQL server, as of: rover front")
	}
	ctx := context.Background()
	conns, err := pool.Open(ctx, pool.WithRover(rover.WithServers(servers)), pool.WithMax(10),
		pool.WithIdle(0, 1)) // PostgreSQL ends connections that do not log in
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()

	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE"))
	if err != nil {
		log.Fatal(err)
	}
	config.MaxConnLifetime = time.Minute // by which it follows the balance
	config.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	var ids sync.Map // of servers, by address
	config.ConnConfig.DialFunc = func(ctx context.Context, _, address string) (net.Conn, error) {
		if id, known := ids.Load(address); known { // a cancel, to the address of a connection
			return conns.ForServer(ctx, id.(string))
		}
		c, err := conns.Get(ctx)
		if err != nil {
			return nil, err
		}
		ids.Store(c.RemoteAddr().String(), c.ID())
		return c, nil
	}
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	var version string
	if err := db.QueryRow(ctx, "select version()").Scan(&version); err != nil {
		log.Fatal(err)
	}
	fmt.Println(version)
	fmt.Println("connections by server:", conns.Stats().Servers)
}
