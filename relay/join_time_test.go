package relay_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/relay"
)

// bubble joins two pipes in virtual time.
func bubble(t *testing.T, test func(t *testing.T, client, server *half, result func() relay.Result), opts ...relay.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, x := pipe()
		y, server := pipe()
		done := make(chan relay.Result, 1)
		go func() { done <- relay.Join(x, y, opts...) }()
		test(t, client, server, func() relay.Result { return <-done })
		client.Close()
		server.Close()
	})
}

// Once one side has ended the other may be silent so long; every byte prolongs it.
func TestHalfOpenLimit(t *testing.T) {
	bubble(t, func(t *testing.T, client, server *half, result func() relay.Result) {
		began := time.Now()
		client.CloseWrite()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		for range 10 {
			time.Sleep(8 * time.Second)
			io.WriteString(server, "still here")
		}
		r := result()
		if !errors.Is(r.Err, relay.ErrHalfOpen) || r.First != relay.A || r.Got != 100 {
			t.Errorf("got %+v", r)
		}
		if took := time.Since(began); took < 90*time.Second || took > 93*time.Second {
			t.Errorf("took %v, want 80 s and then 10", took)
		}
	}, relay.WithHalfOpen(10*time.Second))
}

// Two silent sides that have not ended may be silent for ever.
func TestSilenceAlone(t *testing.T) {
	bubble(t, func(t *testing.T, client, server *half, result func() relay.Result) {
		time.Sleep(1000 * time.Hour)
		go io.WriteString(client, "x")
		b := make([]byte, 1)
		if _, err := io.ReadFull(server, b); err != nil {
			t.Error(err)
		}
		client.Close()
		server.Close()
		kit.Equal(t, "error", result().Err, nil)
	})
}

// Retired, it ends after so much silence; where the client has spoken last, after
// twelve times that; and not while bytes move.
func TestRetire(t *testing.T) {
	for name, want := range map[string]time.Duration{
		"server": 4 * time.Second,
		"client": 48 * time.Second,
	} {
		for which := range 2 {
			signals := [2]chan struct{}{}
			synctest.Test(t, func(t *testing.T) {
				signals[which] = make(chan struct{})
				client, x := pipe()
				y, server := pipe()
				done := make(chan relay.Result, 1)
				go func() { done <- relay.Join(x, y, relay.WithRetire(4*time.Second, signals[0], signals[1])) }()
				go func() { _, _ = io.Copy(io.Discard, client) }()
				go func() { _, _ = io.Copy(io.Discard, server) }()
				time.Sleep(time.Hour)
				close(signals[which])
				for range 20 { // busy
					time.Sleep(2 * time.Second)
					io.WriteString(client, "ping")
					synctest.Wait()
					io.WriteString(server, "pong")
				}
				if name == "client" {
					io.WriteString(client, "?")
				}
				began := time.Now()
				r := <-done
				if took := time.Since(began); took < want-time.Second/2 || took > want+time.Second/2 {
					t.Errorf("%s spoke last: took %v, want %v", name, took, want)
				}
				if !errors.Is(r.Err, relay.ErrRetired) || r.First != relay.Neither {
					t.Errorf("%s spoke last: got %+v", name, r)
				}
			})
		}
	}
}
