package server_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// lines is a log.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.all.String(), what)
}

// A panic of given code is logged, with its stack, and costs one connection.
func TestAPanicCostsOneConnection(t *testing.T) {
	serverSide, clientSide := certificate()
	once := func(f func()) func() { // sync.OnceFunc would panic again
		var done sync.Once
		return func() { done.Do(f) }
	}
	for name, given := range map[string]func(config *tls.Config, fail func()) []server.Option{
		"GetConfigForClient": func(config *tls.Config, fail func()) []server.Option {
			config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { fail(); return nil, nil }
			return nil
		},
		"on given": func(_ *tls.Config, fail func()) []server.Option {
			return []server.Option{server.WithOnGiven(func(*server.Conn) { fail() })}
		},
		"on freed": func(_ *tls.Config, fail func()) []server.Option {
			return []server.Option{server.WithOnFreed(func(*server.Conn) { fail() })}
		},
		"on error": func(config *tls.Config, fail func()) []server.Option {
			refuseOne := once(func() { panic("first") })
			config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { refuseOne(); return nil, nil }
			return []server.Option{server.WithOnError(func(error) { fail() })}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log lines
			var slots server.Slots
			config := serverSide.Clone()
			opts := given(config, once(func() { panic("for one client") }))
			inner := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
			l := kit.Must(server.NewListener(tls.NewListener(inner, config), append(opts, server.WithSlots(&slots),
				server.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...))(t)
			stop := serve(t, l, readToEnd)
			for range 3 {
				c := tls.Client(dial(t, l), clientSide)
				readSlot(c)
				kit.Check(t, c.NetConn().Close())
			}
			c := tls.Client(dial(t, l), clientSide)
			kit.Must(readSlot(c))(t)
			kit.Check(t, c.NetConn().Close())
			stop()
			kit.Equal(t, "in use", slots.InUse(), 0)
			kit.Equal(t, "open", l.Stats().Open, 0)
			kit.Equal(t, "given less freed", l.Stats().Given-l.Stats().Freed, 0)
			kit.Equal(t, "log lines", log.count("panic=\"for one client\""), 1)
		})
	}
}

// Out of descriptors is logged by default, once and then once a minute with its
// count; a handler that panics harms nobody.
func TestAcceptsErrorsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		inner := newPipes()
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		defer slog.SetDefault(before)
		l := kit.Must(server.NewListener(inner))(t)
		serve(t, l, readToEnd)
		emfile := &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		start := time.Now()
		for time.Since(start) < 2*time.Minute+10*time.Second {
			inner.queue <- emfile
		}
		kit.Equal(t, "lines in two minutes", log.count("\n"), 3)
		kit.Equal(t, "lines with the cause", log.count("accept4: too many open files"), 3)
		kit.Equal(t, "the first", log.count("times=1\n"), 1)
	})
}

// What clients do is no line in the log.
func TestClientsFaultsAreNotLogged(t *testing.T) {
	serverSide, _ := certificate()
	var log lines
	errs := make(chan error, 10)
	inner := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide),
		server.WithOnError(func(err error) { errs <- err }),
		server.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))(t)
	serve(t, l, readToEnd)
	c := dial(t, l)
	kit.Must(io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"))(t)
	err := <-errs
	if record := (tls.RecordHeaderError{}); !errors.As(err, &record) || !strings.HasPrefix(err.Error(), "server: slot line for 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
	kit.Equal(t, "log lines", log.count("\n"), 0)
	kit.Equal(t, "refused", l.Stats().Refused.Handshake, 1)
}
