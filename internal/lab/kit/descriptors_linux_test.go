package kit_test

import (
	"net"
	"os"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// A count that always gave the same would find nothing left over.
func TestWhatIsOpenCounts(t *testing.T) {
	warm := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t) // the poller's own descriptors come with the first
	kit.Check(t, warm.Close())
	descriptors, sockets := kit.Descriptors(), kit.Sockets()

	file := kit.Must(os.Open(os.DevNull))(t)
	defer file.Close()
	listener := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer listener.Close()
	kit.Equal(t, "descriptors", kit.Descriptors(), descriptors+2)
	kit.Equal(t, "sockets", kit.Sockets(), sockets+1)
}
