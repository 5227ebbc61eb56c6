package real_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// go-redis keeps connections for as long as ConnMaxLifetime, by which they follow
// the balance. What breaks off is sent again by itself.
func TestRedis(t *testing.T) {
	var servers [3]*front
	for i := range servers {
		m := miniredis.RunT(t)
		kit.Check(t, m.Set("id", strconv.Itoa(i)))
		servers[i] = serveFor(t, func() (net.Conn, error) { return net.Dial("tcp", m.Addr()) })
	}
	s := open(t, servers, pool.WithIdle(0, 2))
	client := redis.NewClient(&redis.Options{
		Addr:            "pool",
		Dialer:          s.DialContext,
		PoolSize:        6,
		ConnMaxLifetime: 2 * time.Second,
		MaxRetries:      5,
	})
	defer client.Close()
	s.ask = func(ctx context.Context) (int, error) { return client.Get(ctx, "id").Int() }
	s.live(t, 6, 0)
	t.Run("subscribe", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		news := client.Subscribe(ctx, "news")
		defer news.Close()
		kit.Must(news.Receive(ctx))(t)
	})
}
