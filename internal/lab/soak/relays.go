//go:build !plan9

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/relay"
	"github.com/callosum-go/rover/roam"
)

// The relay form: clients and servers that know nothing of slots, and fronts and a
// proxy between them. Clients send, half-close, read the answer, or leave at random;
// servers answer, reset, or leave; fronts drain and come back. What arrives is
// checked by its sum, and when a life is over nothing may be open.

var table = crc64.MakeTable(crc64.ECMA)

// A relays is one life of the relay form.
type relays struct {
	run    *run
	random *rand.Rand
	wrong  func(format string, args ...any)

	clients sync.WaitGroup
	servers sync.WaitGroup
}

// liveRelays lives the nth life of the relay form.
func (r *run) liveRelays(ctx context.Context, source rand.Source) error {
	var mu sync.Mutex
	var wrongs []error
	l := &relays{run: r, random: rand.New(source), wrong: func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		wrongs = append(wrongs, fmt.Errorf(format, args...))
	}}
	if err := l.live(ctx); err != nil {
		return err
	}
	return errors.Join(wrongs...)
}

func (l *relays) chance() *rand.Rand {
	return rand.New(rand.NewPCG(l.random.Uint64(), l.random.Uint64()))
}

func (l *relays) live(ctx context.Context) error {
	set := make(map[string]rover.Server)
	var fronts []*restarting
	var listeners []net.Listener
	for i := range 1 + l.random.IntN(4) {
		backend, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		listeners = append(listeners, backend)
		l.serve(backend)
		f, err := l.newFront(backend.Addr().String(), l.random.IntN(2) == 0)
		if err != nil {
			return err
		}
		fronts = append(fronts, f)
		set[fmt.Sprint(i)] = rover.Server{Host: f.at.IP.String(), Port: f.at.Port}
	}
	quiet := slog.New(slog.DiscardHandler)
	conns, err := pool.Open(context.Background(), pool.WithMax(2+l.random.IntN(20)), pool.WithIdle(1, 2), pool.WithLogger(quiet),
		pool.WithRoaming(roam.WithInterval(20*time.Millisecond)), pool.WithRover(rover.WithServers(set), rover.WithLogger(quiet)))
	if err != nil {
		return err
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxy := &relay.Proxy{Pool: conns, Wait: 2 * time.Second, Quiet: 20 * time.Millisecond, Drain: 2 * time.Second, Logger: quiet}
	if l.random.IntN(2) == 0 {
		proxy.MaxAge = 50 * time.Millisecond
	}
	serving, stop := context.WithCancel(context.Background())
	proxied := make(chan error, 1)
	go func() { proxied <- proxy.Serve(serving, at) }()

	for range 1 + l.random.IntN(30) {
		random := l.chance()
		l.clients.Go(func() {
			for range 1 + random.IntN(10) {
				if ctx.Err() == nil {
					l.visit(random, at.Addr().String())
				}
			}
		})
	}
	chaos, calm := context.WithCancel(ctx)
	var restarts sync.WaitGroup
	if l.random.IntN(2) == 0 {
		random := l.chance()
		restarts.Go(func() {
			for pause(chaos, upTo(random, 300*time.Millisecond)) {
				f := fronts[random.IntN(len(fronts))]
				l.run.tally.count("restart of a front")
				if err := f.restart(upTo(random, 50*time.Millisecond)); err != nil {
					l.wrong("a front ended with %v", err)
				}
			}
		})
	}
	if l.random.IntN(3) > 0 { // or the proxy drains while they are there
		l.clients.Wait()
	} else {
		pause(ctx, upTo(l.random, 200*time.Millisecond))
		l.run.tally.count("drain with clients")
	}
	calm()
	restarts.Wait()
	stop()
	err = <-proxied
	l.clients.Wait()
	conns.Close()
	for _, f := range fronts {
		err = errors.Join(err, f.stop())
	}
	for _, listener := range listeners {
		listener.Close()
	}
	l.servers.Wait()
	if s := proxy.Stats(); s.Active != 0 {
		l.wrong("the proxy has %d clients when all is over", s.Active)
	}
	return err
}

// A restarting is a front that can drain and come back at its address.
type restarting struct {
	at   *net.TCPAddr
	make func() *relay.Front
	end  context.CancelFunc
	over chan error
}

func (l *relays) newFront(backend string, lazy bool) (*restarting, error) {
	f := &restarting{make: func() *relay.Front {
		return &relay.Front{Dial: relay.Dialer(backend), Lazy: lazy, Check: 50 * time.Millisecond, Drain: 500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)}
	}}
	return f, f.start("127.0.0.1:0")
}

func (f *restarting) start(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	f.at = l.Addr().(*net.TCPAddr)
	var ctx context.Context
	ctx, f.end = context.WithCancel(context.Background())
	f.over = make(chan error, 1)
	front := f.make()
	go func() {
		err := front.Serve(ctx, l)
		if n := front.Stats().Active; n != 0 && err == nil {
			err = fmt.Errorf("a front has %d clients when it is over", n)
		}
		f.over <- err
	}()
	return nil
}

func (f *restarting) stop() error {
	f.end()
	return <-f.over
}

func (f *restarting) restart(away time.Duration) error {
	err := f.stop()
	pause(context.Background(), away)
	return errors.Join(err, f.start(f.at.String()))
}

// serve answers each client, once it has ended, with how many bytes came and their
// sum, and then with bytes that follow from the sum; or it does not.
func (l *relays) serve(listener net.Listener) {
	random := l.chance()
	l.servers.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			seed := random.Uint64()
			l.servers.Go(func() { l.answer(conn, rand.New(rand.NewPCG(seed, 1))) })
		}
	})
}

func (l *relays) answer(conn net.Conn, random *rand.Rand) {
	defer conn.Close()
	if random.IntN(20) == 0 {
		_, _ = io.CopyN(io.Discard, conn, int64(random.IntN(1000)))
		socket.Refuse(conn)
		return
	}
	sum := crc64.New(table)
	n, err := io.Copy(sum, conn)
	if err != nil || n == 0 {
		return
	}
	head := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(n)), sum.Sum64())
	if _, err := conn.Write(append(head, follows(sum.Sum64())...)); err != nil {
		return
	}
}

// follows are the bytes of an answer.
func follows(sum uint64) []byte {
	random := rand.New(rand.NewPCG(sum, 2))
	b := make([]byte, random.IntN(1<<random.IntN(20)))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// visit is one connection of a client. An answer must be whole, or end by an error:
// nobody may take half for a whole.
func (l *relays) visit(random *rand.Rand, at string) {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		return // the proxy drains
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	sum := crc64.New(table)
	n := 0
	for range 1 + random.IntN(5) {
		piece := make([]byte, 1+random.IntN(1<<random.IntN(20)))
		for i := range piece {
			piece[i] = byte(random.Uint32())
		}
		sent, err := conn.Write(piece)
		sum.Write(piece[:sent])
		if n += sent; err != nil {
			l.run.tally.count("client cut while it sent")
			return
		}
		if random.IntN(4) == 0 {
			pause(context.Background(), upTo(random, 5*time.Millisecond))
		}
	}
	if random.IntN(8) == 0 {
		l.run.tally.count("client left")
		socket.Refuse(conn)
		return
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return
	}
	answer, err := io.ReadAll(conn)
	var late net.Error
	switch want := follows(sum.Sum64()); {
	case errors.As(err, &late) && late.Timeout():
		l.wrong("a client got no answer and no end in %v", patience)
	case err != nil:
		l.run.tally.count("client cut")
	case len(answer) == 0:
		l.run.tally.count("client without an answer") // what is quiet is closed, in order
	case len(answer) != 16+len(want):
		l.wrong("an answer of %d bytes ends in order after %d", 16+len(want), len(answer))
	case binary.BigEndian.Uint64(answer) != uint64(n) || binary.BigEndian.Uint64(answer[8:]) != sum.Sum64():
		l.wrong("%d bytes were sent, %d have come, or others", n, binary.BigEndian.Uint64(answer))
	case string(answer[16:]) != string(want):
		l.wrong("an answer of %d bytes is another one", len(answer))
	default:
		l.run.tally.count("client answered")
		l.run.events.Add(1)
	}
}
