package server_test

import (
	"crypto/tls"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// Counts are right at each step, and marshal with the names that the page has.
func TestStats(t *testing.T) {
	serverSide, clientSide := certificate()
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide), server.WithWeight(2)))(t)
		fresh := l.Stats()
		kit.Equal(t, "highest at first", fresh.Highest, -1)
		kit.Equal(t, "free at first", fresh.Free, 0)
		stop := serve(t, l, readToEnd)
		var clients []*tls.Conn
		for i := range 3 {
			c := inner.dial()
			time.Sleep(time.Duration(i) * 3 * time.Millisecond) // its handshake takes so long
			clients = append(clients, tls.Client(c, clientSide))
			slotOf(t, clients[i])
		}
		stalling := inner.dial()
		synctest.Wait()
		clients[1].NetConn().Close()
		synctest.Wait()

		s := l.Stats()
		got := map[string]any{}
		kit.Check(t, json.Unmarshal(kit.Must(json.Marshal(s))(t), &got))
		delete(got["took"].(map[string]any), "buckets")
		want := map[string]any{
			"in_use": 2.0, "free": 1.0, "highest": 2.0, "weight": 2.0, "draining": false,
			"open": 3.0, "handshakes": 1.0, "waiting": 0.0,
			"lines": 3.0, "given": 3.0, "freed": 1.0, "accepted": 3.0,
			"refused": map[string]any{"handshake": 0.0, "timeout": 0.0, "limit": 0.0, "client": 0.0, "panic": 0.0, "close": 0.0},
			"took":    map[string]any{"count": 3.0, "sum": 9e6, "longest": 6e6},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var counts []int64
		for _, b := range s.Took.Buckets[:5] {
			counts = append(counts, b.Count)
		}
		if diff := cmp.Diff([]int64{1, 1, 2, 3, 3}, counts); diff != "" {
			t.Errorf("up to 1, 2, 4, 8, 16 ms: %s", diff)
		}
		kit.Equal(t, "the last bucket", s.Took.Buckets[len(s.Took.Buckets)-1].UpTo, 8192*time.Millisecond)

		time.Sleep(server.DefaultLineTimeout)
		synctest.Wait()
		kit.Equal(t, "stalled", l.Stats().Refused.Timeout, 1)
		kit.Equal(t, "handshakes", l.Stats().Handshakes, 0)
		stalling.Close()
		for _, c := range clients {
			c.NetConn().Close()
		}
		stop()
		s = l.Stats()
		kit.Equal(t, "given less freed", s.Given-s.Freed, 0)
		kit.Equal(t, "open", s.Open, 0)
	})
}

// The lowest free slot, over each seam between words.
func TestStatsFree(t *testing.T) {
	var slots server.Slots
	l := listen(t, server.WithSlots(&slots))
	for want := range 64*64 + 70 {
		if got := l.Stats().Free; got != want {
			t.Fatalf("free: got %d, want %d", got, want)
		}
		slots.Get()
	}
	for _, slot := range []int{4100, 64, 63, 0} {
		kit.Check(t, slots.Put(slot))
		kit.Equal(t, "free", l.Stats().Free, slot)
	}
	kit.Equal(t, "highest", l.Stats().Highest, 64*64+69)
}
