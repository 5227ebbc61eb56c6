package relay

import (
	"io"
	"net"

	"github.com/callosum-go/rover/internal/socket"
)

// bare finds the system's socket under wrappers that let bytes pass as they are;
// nil: there is none, or a wrapper does something to the bytes. A wrapper that
// copies by ReadFrom and WriteTo, and shows what is under it, says so itself:
// pool.Conn and server.Conn do, *tls.Conn does not.
func bare(conn net.Conn) net.Conn {
	for layer := range socket.Layers(conn) {
		switch layer.(type) {
		case *net.TCPConn, *net.UnixConn:
			return layer
		}
		_, from := layer.(io.ReaderFrom)
		_, to := layer.(io.WriterTo)
		if !from || !to {
			return nil
		}
	}
	return nil
}
