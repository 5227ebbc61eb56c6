package relay

import (
	"context"
	"net"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// checkAll looks now and then whether the server is there.
func (f *Front) checkAll(ctx context.Context) {
	ticks := time.NewTicker(f.Check)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			f.check(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// check dials the server once. While it is not there, no client is welcome.
func (f *Front) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, f.DialTimeout)
	defer cancel()
	conn, err := f.dialServer(ctx, nil, nil)
	if err == nil {
		conn.Close()
	}
	if was := f.alive.Swap(err == nil); was != (err == nil) {
		f.Logger.Info("relay: front: the server is looked at", "alive", err == nil)
	}
	if err != nil {
		f.resetSilent()
	}
}

// keepSilent notes a client that has asked nothing yet. False: the server is not
// there.
func (f *Front) keepSilent(c net.Conn) bool {
	f.waiting.Lock()
	defer f.waiting.Unlock()
	if !f.alive.Load() {
		return false
	}
	if f.silent == nil {
		f.silent = make(map[net.Conn]struct{})
	}
	f.silent[c] = struct{}{}
	return true
}

func (f *Front) speaks(c net.Conn) {
	f.waiting.Lock()
	defer f.waiting.Unlock()
	delete(f.silent, c)
}

// resetSilent gives those a reset that have asked nothing: they lose nothing by
// it, and their pools know that there is nobody.
func (f *Front) resetSilent() {
	f.waiting.Lock()
	defer f.waiting.Unlock()
	for c := range f.silent {
		socket.Refuse(c)
	}
	clear(f.silent)
}
