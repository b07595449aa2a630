package epoll

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// A client's second small write does not wait until the first is acknowledged.
func TestSmallWritesLeaveAtOnce(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, from := range []netip.Addr{{}, netip.MustParseAddr("127.0.0.2")} {
		fd, _, err := Dial(netip.MustParseAddrPort(l.Addr().String()), from)
		if err != nil {
			t.Fatal(err)
		}
		defer Close(fd, true)
		if on, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); err != nil || on == 0 {
			t.Errorf("from %v: TCP_NODELAY is %d, %v", from, on, err)
		}
	}
}
