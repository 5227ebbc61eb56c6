package pool

import (
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// A line is a connection as net/http has it. It counts what it carries, for
// net/http does not say whether anything of a request was sent, and it can be
// had back from an HTTP/1.1 that is at rest.
type line struct {
	*Conn
	secure    bool        // in TLS
	used      atomic.Bool // requests have been on it
	answered  atomic.Bool // one was
	got, sent atomic.Int64
	leaving   atomic.Bool // handBack was called
	whole     atomic.Bool // and net/http has let go, with nothing read
}

// A mark is how much a line had carried at some time.
type mark struct{ got, sent int64 }

func (l *line) mark() mark { return mark{l.got.Load(), l.sent.Load()} }

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.got.Add(int64(n))
	if n == 0 && l.leaving.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		l.whole.Store(true)
	}
	return n, err
}

// Write does not count TLS's alerts, such as the farewell of a Close: records of
// another type than data, or too short for a request.
func (l *line) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	if !l.secure || len(p) > 5+24 && p[0] == 23 {
		l.sent.Add(int64(n))
	}
	return n, err
}

// handBack returns the connection to the pool. net/http, which waits for the
// first byte of an answer to nothing, closes it when that wait fails.
func (l *line) handBack() {
	l.leaving.Store(true)
	_ = l.SetReadDeadline(time.Unix(1, 0))
}

func (l *line) Close() error {
	if l.whole.Load() && l.state.CompareAndSwap(lent, ending) {
		l.finish(l.entry.leftover()) // the loan was clean, however many writes an answer took
		return nil
	}
	return l.Conn.Close()
}
