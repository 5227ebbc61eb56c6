package socket

import (
	"net/netip"
	"syscall"
	"testing"
)

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// Numbers and texts of systems that this test need not run on.
func TestLimitsOfOtherSystems(t *testing.T) {
	winsock := map[string]syscall.Errno{
		"ERROR_TOO_MANY_OPEN_FILES": 4, "WSA_NOT_ENOUGH_MEMORY": 8, "ERROR_OUTOFMEMORY": 14, "ERROR_NO_SYSTEM_RESOURCES": 1450,
		"WSAEACCES": 10013, "WSAEMFILE": 10024, "WSAEADDRINUSE": 10048, "WSAEADDRNOTAVAIL": 10049, "WSAENOBUFS": 10055, "WSAEPROCLIM": 10067,
		"EMFILE as package syscall invents it": syscall.EMFILE,
	}
	for name, number := range winsock {
		if got := (judge{systemOf("windows"), onIPv4}).whose(dialing(v4, "connectex", number), nil); got != ours {
			t.Errorf("windows: %s is ours", name)
		}
	}
	for name, number := range map[string]syscall.Errno{
		"WSAENETUNREACH": 10051, "WSAECONNABORTED": 10053, "WSAECONNRESET": 10054, "WSAETIMEDOUT": 10060, "WSAECONNREFUSED": 10061, "WSAEHOSTUNREACH": 10065,
	} {
		if got := (judge{systemOf("windows"), onIPv4}).whose(dialing(v4, "connectex", number), nil); got != theirs {
			t.Errorf("windows: %s is theirs", name)
		}
	}
	for name, number := range map[string]syscall.Errno{"WSAEAFNOSUPPORT": 10047, "WSAEADDRNOTAVAIL": 10049, "WSAENETUNREACH": 10051} {
		if got := (judge{systemOf("windows"), onIPv4}).whose(dialing(v6, "connectex", number), nil); got != nobodys {
			t.Errorf("windows: %s of a family that is not in use is nobody's", name)
		}
	}
	for name, number := range map[string]syscall.Errno{"WSAECONNABORTED": 10053, "WSAECONNRESET": 10054, "WSAETIMEDOUT": 10060} {
		if !has(systemOf("windows").gone, number) {
			t.Errorf("windows: %s ends a connection", name)
		}
	}
	for _, number := range []syscall.Errno{4, 8, 14, 64} { // EINTR, ENOEXEC, EFAULT and others
		if has(systemOf("linux").limits, number) || has(systemOf("linux").gone, number) {
			t.Errorf("linux: number %d is windows' own", int(number))
		}
	}
	plan9 := judge{systemOf("plan9"), onIPv4}
	for said, want := range map[string]fault{
		"no free file descriptors": ours, "network port not available": ours, "address in use": ours,
		"connection refused": theirs, "connection timed out": theirs,
	} {
		if got := plan9.whose(dialing(v4, "connect", text(said)), nil); got != want {
			t.Errorf("plan9: %s: %d", said, got)
		}
	}
	if !has(plan9.gone, text("i/o on hungup channel")) {
		t.Error("plan9: hungup")
	}
}
