package rover

import (
	"net"
	"testing"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/expiry"
)

// An offer has its keep timeout before anybody sees it: who is quick would find
// it over, and it would be lost.
func TestAnOfferIsOpenBeforeItIsShown(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	all := open{queue: expiry.New(time.Hour, func(*offering) {}), tally: new(tally)}
	listed := -1
	subject := hot.NewSubject(hot.WithEach(func(v any) any {
		listed = len(all.queue.All())
		return v.(*offering).share()
	}))
	items := subject.Observable().Observe()
	all.show(newOffering("a", Server{}, 1, client, false), subject)
	if listed != 1 {
		t.Errorf("%d offers were listed when it was shown", listed)
	}
	(<-items).V.(*Connection).Decline()
	if left := all.queue.Close(); len(left) != 0 {
		t.Errorf("%d offers are left", len(left))
	}
	subject.Complete()
}
