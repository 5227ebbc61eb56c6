package relay

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// A way is one direction of a Join. Small messages go by a small buffer, which is
// all that an idle connection costs; when one is full, there is more: then by the
// kernel, where it can, or by a large one.
type way struct {
	from, to net.Conn
	side     Side          // from's
	moved    atomic.Int64  // bytes
	spoke    *atomic.Int32 // of both ways: the side that has sent something last
	first    *atomic.Int32 // of both ways: the side that ended first

	err  error // nil: from has ended, or to is lost
	lost bool  // to cannot be written to any more
}

const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

var small, large = buffers(smallBuffer), buffers(largeBuffer)

func buffers(size int) *sync.Pool {
	return &sync.Pool{New: func() any { b := make([]byte, size); return &b }}
}

// pump copies until from has ended, and passes that on, or until to is lost.
func (w *way) pump() {
	source, sink := bare(w.from), bare(w.to)
	buf := small.Get().(*[]byte)
	defer small.Put(buf)
	for {
		full, ok := w.copy(*buf)
		if !ok {
			return
		}
		if !full {
			continue
		}
		if tcp, isTCP := sink.(*net.TCPConn); canSplice && isTCP && source != nil {
			ok = w.splice(tcp, source)
		} else {
			ok = w.bulk()
		}
		if !ok {
			return
		}
	}
}

// copy moves one piece. full: it was as large as buf. False: it is over.
func (w *way) copy(buf []byte) (full, ok bool) {
	n, err := w.from.Read(buf)
	if n > 0 {
		w.speaks() // before the answer to it can come
		if _, failed := w.to.Write(buf[:n]); failed != nil {
			w.lose()
			return false, false
		}
		w.moved.Add(int64(n))
	}
	if err != nil {
		w.end(err)
		return false, false
	}
	return n == len(buf), true
}

func (w *way) speaks() {
	if w.spoke.Load() != int32(w.side) {
		w.spoke.Store(int32(w.side))
	}
}

// end passes on that from has ended, or notes how it broke.
func (w *way) end(err error) {
	w.first.CompareAndSwap(0, int32(w.side)) // before the other side can answer with its own end
	if err == io.EOF {
		err = closeWrite(w.to)
	}
	w.err = err
}

// lose notes that to is gone.
func (w *way) lose() {
	w.first.CompareAndSwap(0, int32(A+B-w.side))
	w.lost = true
}

// bulk goes on with a large buffer while it is worth it. False: it is over.
func (w *way) bulk() bool {
	buf := large.Get().(*[]byte)
	defer large.Put(buf)
	for {
		before := w.moved.Load()
		if _, ok := w.copy(*buf); !ok {
			return false
		}
		if w.moved.Load()-before < largeBuffer/8 {
			return true
		}
	}
}

const (
	canSplice = runtime.GOOS == "linux"

	// How much is spliced before it is counted: as much as takes between these two.
	minChunk, maxChunk = 64 << 10, 16 << 20
	quick, slow        = 50 * time.Millisecond, 500 * time.Millisecond
)

// splice has the kernel copy until nothing has come for a while. It holds a pipe,
// which an idle connection should not. False: it is over.
func (w *way) splice(to *net.TCPConn, from net.Conn) bool {
	defer func() { _ = from.SetReadDeadline(time.Time{}) }()
	chunk := int64(4 * minChunk)
	for {
		began := time.Now()
		_ = from.SetReadDeadline(began.Add(slow)) // fails only if it is closed, as the next does then
		n, err := to.ReadFrom(&io.LimitedReader{R: from, N: chunk})
		if n > 0 {
			w.moved.Add(n)
			w.speaks() // late, if an answer has come meanwhile: a retired Join is given more time then
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return true
		case errors.Is(err, socket.BrokenPipe):
			w.lose()
			return false
		case err != nil:
			w.end(err)
			return false
		case n < chunk:
			w.end(io.EOF)
			return false
		}
		if took := time.Since(began); took < quick {
			chunk = min(2*chunk, maxChunk)
		} else if took > slow {
			chunk = max(chunk/2, minChunk)
		}
	}
}

// discard reads what nobody can get any more.
func (w *way) discard() { _, _ = io.Copy(io.Discard, struct{ io.Reader }{w.from}) }
