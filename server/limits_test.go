package server_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// An honest client gets through among many that stall: at the limit, the oldest
// of them make room after a second each.
func TestStallingHandshakesMakeRoom(t *testing.T) {
	serverSide, clientSide := certificate()
	synctest.Test(t, func(t *testing.T) {
		errs := make(chan error, 10)
		inner := newPipes()
		l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide), server.WithMaxHandshakes(3),
			server.WithOnError(func(err error) { errs <- err })))(t)
		serve(t, l, readToEnd)
		var stalling []net.Conn
		for range 3 {
			stalling = append(stalling, inner.dial())
		}
		synctest.Wait()
		kit.Equal(t, "handshakes", l.Stats().Handshakes, 3)
		start := time.Now()
		honest := tls.Client(inner.dial(), clientSide)
		kit.Equal(t, "slot", slotOf(t, honest), 0)
		kit.Equal(t, "time until there was room", time.Since(start), time.Second)
		if _, err := stalling[0].Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the oldest reads %v", err)
		}
		synctest.Wait()
		kit.Equal(t, "handshakes later", l.Stats().Handshakes, 2)
		kit.Equal(t, "refused", l.Stats().Refused.Limit, 1)
		if err := <-errs; len(errs) > 0 || !strings.HasSuffix(err.Error(), "the handshake made room for others") {
			t.Errorf("reported: %v", err)
		}
		for _, c := range stalling {
			kit.Check(t, c.Close())
		}
		kit.Check(t, honest.NetConn().Close())
	})
}

// A client beyond the limit sees a reset at once, and the log has one line.
func TestMaxConns(t *testing.T) {
	var log lines
	l := listen(t, server.WithMaxConns(2), server.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	serve(t, l, readToEnd)
	first, second := dial(t, l), dial(t, l)
	kit.Equal(t, "slots", slotOf(t, first)+slotOf(t, second), 1)
	for range 5 {
		beyond, err := net.Dial("tcp", l.Addr().String())
		if err == nil { // the reset may come in the midst of it
			_, err = beyond.Read(make([]byte, 1))
			beyond.Close()
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("beyond the limit: %v, want a reset", err)
		}
	}
	kit.Equal(t, "refused", l.Stats().Refused.Limit, 5)
	kit.Equal(t, "log lines", log.count("2 connections are the limit"), 1)
	kit.Check(t, first.Close())
	within := func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return false
		}
		defer c.Close()
		_, err = readSlot(c)
		return err == nil
	}
	for end := time.Now().Add(10 * time.Second); !within(); {
		if time.Now().After(end) {
			t.Fatal("no place is free after one has left")
		}
	}
}

// What nobody accepts is limited, and given up in time: neither gets a line.
func TestMaxWaiting(t *testing.T) {
	serverSide, clientSide := certificate()
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide), server.WithMaxWaiting(2)))(t)
		defer l.Close()
		go l.Accept()
		var clients []*tls.Conn
		start := time.Now()
		for range 4 { // all begin their handshake while the Accept waits
			clients = append(clients, tls.Client(inner.dial(), clientSide))
		}
		got := make(chan error, 4)
		for _, c := range clients {
			go func() {
				_, err := readSlot(c)
				got <- err
			}()
			synctest.Wait()
		}
		kit.Equal(t, "lines", l.Stats().Lines, 1)
		kit.Equal(t, "waiting", l.Stats().Waiting, 2)
		kit.Equal(t, "beyond the limit", l.Stats().Refused.Limit, 1)
		errs := 0
		for range 4 {
			if err := <-got; err != nil {
				errs++
			}
		}
		kit.Equal(t, "without a line", errs, 3)
		kit.Equal(t, "given up after", time.Since(start), server.DefaultLineTimeout)
		kit.Equal(t, "waiting at the end", l.Stats().Waiting, 0)
		kit.Equal(t, "refused", l.Stats().Refused.Timeout, 2)
	})
}

// limitListener accepts only so many, as that of golang.org/x/net/netutil.
type limitListener struct {
	net.Listener
	places chan struct{}
}

func (l limitListener) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	return l.Listener.Accept()
}

// Behind a listener that accepts no more than it serves, nobody else gets a
// line: in plain text and in TLS.
func TestALineOnlyForWhatIsServed(t *testing.T) {
	serverSide, clientSide := certificate()
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := newPipes()
				var under net.Listener = inner
				if secure {
					under = tls.NewListener(inner, serverSide)
				}
				l := kit.Must(server.NewListener(under))(t)
				limited := limitListener{l, make(chan struct{}, 2)}
				go func() {
					for range 3 {
						c, err := limited.Accept()
						if err != nil {
							return
						}
						go readToEnd(c)
					}
				}()
				for range 12 {
					client, conn := net.Pipe()
					t.Cleanup(func() { client.Close() })
					go func() {
						select {
						case inner.queue <- conn:
						case <-inner.closed:
							return
						}
						var c net.Conn = client
						if secure {
							c = tls.Client(client, clientSide)
						}
						readSlot(c)
					}()
				}
				synctest.Wait()
				kit.Equal(t, "lines", l.Stats().Lines, 2)
				kit.Equal(t, "accepted", l.Stats().Accepted, 2)
				kit.Equal(t, "in use", l.Stats().InUse, 2)
				time.Sleep(time.Minute)
				kit.Equal(t, "lines later", l.Stats().Lines, 2)
				<-limited.places
				kit.Check(t, l.Close())
			})
		})
	}
}

// A client that has waited for an Accept for too long gets no line, in plain
// text too: it has given up.
func TestNoLineForWhoHasWaitedTooLong(t *testing.T) {
	for name, test := range map[string]struct {
		wait time.Duration
		want error
	}{
		"in time":  {server.DefaultLineTimeout - time.Second, nil},
		"too late": {server.DefaultLineTimeout + time.Second, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := newPipes()
				l := kit.Must(server.NewListener(inner))(t)
				conns := make(chan net.Conn, 2)
				accept := func() {
					if c, err := l.Accept(); err == nil {
						conns <- c
					}
				}
				go accept()
				slow := inner.dial()
				time.Sleep(time.Second) // the Accept asks for another meanwhile
				slotOf(t, slow)
				defer (<-conns).Close()
				next := inner.dial()
				time.Sleep(test.wait)
				kit.Equal(t, "lines", l.Stats().Lines, 1)
				go accept()
				if _, err := readSlot(next); !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if test.want == nil {
					defer (<-conns).Close()
				} else {
					kit.Equal(t, "refused", l.Stats().Refused.Timeout, 1)
				}
				kit.Check(t, l.Close())
			})
		})
	}
}

// The same over TCP, where the write itself needs no time: a pipe comes first,
// whose late line lets the Accept go while it has asked for another.
func TestNoLineOverTCPForWhoHasWaitedTooLong(t *testing.T) {
	inner := newPipes()
	l := kit.Must(server.NewListener(inner, server.WithLineTimeout(time.Second)))(t)
	defer l.Close()
	first := make(chan net.Conn)
	go func() { first <- kit.Must(l.Accept())(t) }()
	slow := inner.dial()
	<-time.After(50 * time.Millisecond)
	slotOf(t, slow)
	defer (<-first).Close()

	tcp := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer tcp.Close()
	client := dial(t, tcp)
	inner.queue <- kit.Must(tcp.Accept())(t)
	<-time.After(1100 * time.Millisecond)
	go l.Accept()
	if _, err := readSlot(client); err == nil {
		t.Error("a line for who has given up")
	}
	kit.Equal(t, "refused", l.Stats().Refused.Timeout, 1)
}
