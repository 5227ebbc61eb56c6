package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
)

func TestTimeoutIsATimeoutWhateverItWasCalled(t *testing.T) {
	client, _ := pair(t)
	for _, err := range []error{nil, net.ErrClosed, fmt.Errorf("proxy: %v", context.DeadlineExceeded), context.DeadlineExceeded} {
		for _, conn := range []net.Conn{nil, client} {
			var known net.Error
			if got := Timeout(err, conn); !errors.As(got, &known) || !known.Timeout() {
				t.Errorf("Timeout(%v, %v) = %v", err, conn, got)
			}
		}
	}
	if got := Timeout(context.DeadlineExceeded, nil); got != context.DeadlineExceeded {
		t.Errorf("it was one, and became %v", got)
	}
}
