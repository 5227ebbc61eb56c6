package pool_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

// filled is a pool with connections to a server; a rover would bring them.
func filled(s *httptest.Server, n int, options ...pool.Option) *pool.Pool {
	p, err := pool.New(append(options, pool.WithMax(n))...)
	if err != nil {
		panic(err)
	}
	for slot := range n {
		found(p, s, slot)
	}
	return p
}

func found(p *pool.Pool, s *httptest.Server, slot int) {
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		panic(err)
	}
	p.Offer(rover.NewConnection("a", rover.Server{Host: "a.test", Port: 80}, slot, conn))
}

// An event stream that moves when the pool has a better connection.
func ExampleTraceConn() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "data: hello")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer service.Close()
	conns := filled(service, 1)
	defer conns.Close()
	client := &http.Client{Transport: conns.Transport(nil)}
	defer client.CloseIdleConnections()

	for slot := range 2 {
		ctx, end := context.WithCancel(context.Background())
		ctx, used := pool.TraceConn(ctx)
		request, err := http.NewRequestWithContext(ctx, "GET", "http://service/events", nil)
		if err != nil {
			panic(err)
		}
		response, err := client.Do(request)
		if err != nil {
			panic(err)
		}
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		fmt.Printf("%q from %v %v\n", line, used().Server(), err)
		if slot == 0 {
			found(conns, service, -1) // something better comes
			<-used().Replaced()
		}
		end() // and begin anew
		response.Body.Close()
	}
	// Output:
	// "data: hello\n" from a.test:80 <nil>
	// "data: hello\n" from a.test:80 <nil>
}

// A server with a ReadHeaderTimeout ends connections on which no request comes.
// One small request makes it patient: then its IdleTimeout counts.
func ExampleWithReady_http() {
	service := httptest.NewUnstartedServer(http.NotFoundHandler())
	service.Config.ReadHeaderTimeout = 50 * time.Millisecond
	service.Start()
	defer service.Close()

	ready := func(ctx context.Context, conn net.Conn) (net.Conn, error) {
		deadline, _ := ctx.Deadline()
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, "HEAD", "http://service/", nil)
		if err != nil {
			return nil, err
		}
		if err := request.Write(conn); err != nil {
			return nil, err
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		return conn, conn.SetDeadline(time.Time{})
	}
	conns := filled(service, 3, pool.WithReady(ready))
	defer conns.Close()
	<-time.After(200 * time.Millisecond)
	fmt.Println(conns.Stats().Kept, "kept")
	// Output: 3 kept
}
