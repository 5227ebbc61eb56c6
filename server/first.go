package server

import "errors"

// awaitFirst keeps c until its client's first byte comes. One that refuses, or
// leaves, or never says anything, is no matter of the server's: no handshake of
// http.Server.ServeTLS fails, no timeout for headers runs, no Shutdown waits.
func (l *Listener) awaitFirst(c *Conn) {
	first := make([]byte, 1)
	var n int
	err := l.guard(c, func() (err error) {
		n, err = c.Conn.Read(first)
		return err
	})
	switch {
	case n > 0:
		c.first = first
		c.use.heard(c)
		l.handOver(c, nil)
	case errors.As(err, new(*panicked)):
		l.drop(c, byPanic, nil)
	default: // refused, which is nothing to report
		l.drop(c, byClient, nil)
	}
}
