package real

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/callosum-go/rover/pool"
	"github.com/redis/go-redis/v9"
)

func newRedis(t *testing.T, id string) *backend {
	m := miniredis.RunT(t)
	m.Set("who", id)
	return newBackend(t, func() (net.Conn, error) { return net.Dial("tcp", m.Addr()) })
}

// go-redis looks at a connection before each use, and gives it up if the pool
// has replaced it.
func TestRedisFollowsTheBalance(t *testing.T) {
	f := newFleet(t, 3, map[string]*backend{"a": newRedis(t, "a"), "b": newRedis(t, "b")}, pool.WithMax(6))
	var clients []*redis.Client
	for _, p := range f.pools {
		c := redis.NewClient(&redis.Options{Addr: "pool:6379", Dialer: p.DialContext, PoolSize: 6, ReadTimeout: time.Second})
		t.Cleanup(func() { c.Close() })
		clients = append(clients, c)
	}
	f.story(func(client int) (string, error) {
		return clients[client].Get(context.Background(), "who").Result()
	}, 6, newRedis(t, "c"), 10*time.Second)
}

// Subscriptions are connections that push, and hold for long.
func TestRedisSubscriptions(t *testing.T) {
	f := newFleet(t, 1, map[string]*backend{"a": newRedis(t, "a")}, pool.WithMax(4))
	c := redis.NewClient(&redis.Options{Addr: "pool:6379", Dialer: f.pools[0].DialContext, PoolSize: 2})
	defer c.Close()
	sub := c.Subscribe(t.Context(), "news")
	defer sub.Close()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := c.Publish(t.Context(), "news", "x").Err(); err != nil {
			t.Fatal(err)
		}
		if m, err := sub.ReceiveMessage(t.Context()); err != nil || m.Payload != "x" {
			t.Fatal(m, err)
		}
	}
}
