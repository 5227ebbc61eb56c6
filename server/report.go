package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/callosum-go/rover/internal/repeat"
	"github.com/callosum-go/rover/internal/socket"
)

// A report is where errors go that no call returns.
type report struct {
	logger  *slog.Logger
	onError func(error)
	seen    repeat.Log
}

// trouble is what the server's owner must hear of. The same, by its key, is
// logged once, then at most once a minute with its count.
func (r *report) trouble(key string, err error) {
	if times, now := r.seen.Happened(key); now {
		r.write(slog.LevelWarn, "server: trouble", "error", err, "times", times)
	}
	r.call(err)
}

// lost is a connection that did not come to Accept, as clients may do any time.
func (r *report) lost(c *Conn, err error) {
	err = fmt.Errorf("server: slot line for %s: %w", peer(c), err)
	r.write(slog.LevelDebug, "server: a client is lost", "error", err)
	r.call(err)
}

func (r *report) write(level slog.Level, msg string, args ...any) {
	defer func() { _ = recover() }() // a handler that panics must not end the server
	r.logger.Log(context.Background(), level, msg, args...)
}

func (r *report) call(err error) {
	defer func() {
		if value := recover(); value != nil {
			r.write(slog.LevelError, "server: the on-error function panicked", "panic", value)
		}
	}()
	r.onError(err)
}

// peer is c's client. A wrapper may have to read before it knows that, as for
// the PROXY protocol, and has had its time for that once c is dropped.
func peer(c *Conn) string {
	if addr := socket.Peer(c.Conn); addr != "" {
		return addr
	}
	return "a client"
}

// panicked is a panic of given code, as an error.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

var errGoexit = errors.New("the goroutine was ended by runtime.Goexit")

// guard calls given code: a TLS callback, a hook, a wrapper's Write. Its panic
// is logged and costs this connection, as does Goexit, which costs the goroutine
// too.
func (l *Listener) guard(c *Conn, f func() error) error {
	returned := false
	defer func() {
		if !returned {
			l.drop(c, byPanic, errGoexit)
		}
	}()
	err := l.log.catch(f)
	returned = true
	return err
}

// catch logs the panic of f with its stack, and returns it as an error.
func (r *report) catch(f func() error) (err error) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		err = &panicked{value}
		if times, now := r.seen.Happened("panic"); now {
			r.write(slog.LevelError, "server: given code panicked, its connection is closed",
				"panic", value, "times", times, "stack", string(debug.Stack()))
		}
		r.call(fmt.Errorf("server: %w", err))
	}()
	return f()
}
