package whole_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// holes is a network with an address that drops every packet, one that the
// kernel knows cannot be reached, and none to all others. The addresses are for
// documentation (RFC 5737), and no packet to them leaves the namespace.
const holes = `
	ip tuntap add dev hole mode tun &&
	ip addr add 192.0.2.1/24 dev hole &&
	ip link set hole up &&
	ip route add unreachable 198.51.100.0/24 &&
	echo ready && exec "$0" -test.run "^$1\$" -test.v -test.timeout 30s`

// The table of package faulty makes these errors itself, to play them anywhere.
// Here the kernel makes them, in a network namespace where that is permitted.
func TestAddressesThatCannotBeReached(t *testing.T) {
	if os.Getenv("ROVER_TEST_NETWORK") == "holes" {
		inNetworkOfHoles(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	again := exec.Command("sh", "-c", holes, self, t.Name())
	again.Env = append(os.Environ(), "ROVER_TEST_NETWORK=holes")
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		Pdeathsig:   syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	switch out, err := again.CombinedOutput(); {
	case err == nil:
	case !bytes.Contains(out, []byte("ready\n")):
		t.Skipf("no network namespace here: %v %s", err, out)
	default:
		t.Errorf("%v\n%s", err, out)
	}
}

func inNetworkOfHoles(t *testing.T) {
	for host, want := range map[string]error{
		"192.0.2.2":    nil, // a timeout
		"198.51.100.1": syscall.EHOSTUNREACH,
		"203.0.113.1":  syscall.ENETUNREACH,
	} {
		s := kit.Rove(t, rover.WithServers(map[string]rover.Server{"a": {Host: host, Port: 4040}}),
			rover.WithDialTimeout(200*time.Millisecond), rover.WithInterval(time.Hour))
		reported := s.Unreachable().Observe()
		kit.Start(t, s)
		e := (<-reported).V.(*rover.UnreachableError)
		var timeout net.Error
		switch {
		case want != nil && !errors.Is(e, want):
			t.Errorf("%v, want %v", e, want)
		case want == nil && !(errors.As(e, &timeout) && timeout.Timeout()):
			t.Errorf("%v, want a timeout", e)
		}
	}

	s := kit.Rove(t, rover.WithServers(map[string]rover.Server{"a": {Host: "192.0.2.2", Port: 4040}}),
		rover.WithDialTimeout(time.Hour), rover.WithInterval(time.Millisecond), rover.WithMaxInFlight(1))
	busy := s.Errors().Observe()
	kit.Start(t, s)
	<-busy   // so a dial is under way
	s.Stop() // waits for it: an hour, if it were not aborted
	if n := s.Stats(); n.Attempts != 1 || n.Aborted != 1 {
		t.Errorf("%+v", n)
	}
}
