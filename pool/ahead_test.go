package pool_test

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// A scripted is a connection whose Reads end as the test says.
type scripted struct {
	net.Conn
	ends chan error
}

func (s *scripted) Read([]byte) (int, error)    { return 0, <-s.ends }
func (s *scripted) SetDeadline(time.Time) error { return nil }

// The deadline of a borrower that passes just as the connection comes back ends
// the reading ahead; the end of the connection is seen all the same.
func TestADeadlineAtReleaseHidesNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := pipe(t)
		s := &scripted{client, make(chan error)}
		p := kit.Must(pool.New())(t)
		kit.Equal(t, "kept", p.Offer(rover.NewConnection("a", somewhere, 0, s)), true)
		synctest.Wait() // until it reads
		c := get(t, p)
		kit.Check(t, c.SetDeadline(time.Now()))
		c.Release()
		synctest.Wait()
		s.ends <- os.ErrDeadlineExceeded // is known only now
		synctest.Wait()
		kit.Equal(t, "kept", p.Stats().Kept, 1)
		s.ends <- io.EOF
		synctest.Wait()
		kit.Equal(t, "lost", p.Stats().Lost, 1)
		p.Close()
	})
}

// A deaf is a connection whose Close does not end a Read, as a stream of yamux.
type deaf struct{ net.Conn }

func (deaf) Close() error { return nil }

func TestCloseOfWhatDoesNotHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := pipe(t)
		p := kit.Must(pool.New())(t)
		kit.Equal(t, "kept", p.Offer(rover.NewConnection("a", somewhere, 0, deaf{client})), true)
		synctest.Wait()
		p.Close()
	})
}
