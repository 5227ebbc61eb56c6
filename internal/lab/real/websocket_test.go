package real_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/coder/websocket"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// A seat has a websocket, which moves between two messages when the pool has a
// better connection.
type seat struct {
	ws   *websocket.Conn
	used func() *pool.Conn
}

func (s *seat) ask(ctx context.Context, client *http.Client) (int, error) {
	if s.ws != nil {
		select {
		case <-s.used().Replaced():
			s.ws.Close(websocket.StatusNormalClosure, "moves")
			s.ws = nil
		default:
		}
	}
	if s.ws == nil {
		traced, used := pool.TraceConn(context.Background())
		ws, _, err := websocket.Dial(traced, "ws://service/", &websocket.DialOptions{HTTPClient: client})
		if err != nil {
			return 0, err
		}
		s.ws, s.used = ws, used
	}
	answer, err := s.exchange(ctx)
	if err != nil {
		s.ws.CloseNow()
		s.ws = nil
	}
	return answer, err
}

func (s *seat) exchange(ctx context.Context) (int, error) {
	if err := s.ws.Write(ctx, websocket.MessageText, []byte("who")); err != nil {
		return 0, err
	}
	_, answer, err := s.ws.Read(ctx)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(answer))
}

func TestWebsocket(t *testing.T) {
	var servers [3]*front
	for i := range servers {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer ws.CloseNow()
			for {
				if _, _, err := ws.Read(r.Context()); err != nil {
					return
				}
				if err := ws.Write(r.Context(), websocket.MessageText, []byte(strconv.Itoa(i))); err != nil {
					return
				}
			}
		}))
		t.Cleanup(web.Close)
		servers[i] = serveFor(t, func() (net.Conn, error) { return net.Dial("tcp", web.Listener.Addr().String()) })
	}
	s := open(t, servers, pool.WithMax(6)) // all are lent: one that is better goes to whoever moves
	client := &http.Client{Transport: s.Transport(nil)}
	seats := make(chan *seat, 6)
	for range cap(seats) {
		seats <- &seat{}
	}
	s.ask = func(ctx context.Context) (int, error) {
		seat := <-seats
		defer func() { seats <- seat }()
		return seat.ask(ctx, client)
	}
	s.live(t, 6, 6)
	for range cap(seats) {
		if seat := <-seats; seat.ws != nil {
			kit.Check(t, seat.ws.CloseNow())
		}
	}
}
