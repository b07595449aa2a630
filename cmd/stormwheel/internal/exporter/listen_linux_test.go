package exporter

import (
	"net"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// As the listeners of nodes: an ordinary socket, which tells the zone of its address, and no other family than was written.
func TestItListensAsNodesDo(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "[::1]:0"} {
		e, err := Listen(addr)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if host := strings.TrimSuffix(addr, ":0"); !strings.HasPrefix(e.Addr(), host+":") {
			t.Errorf("%s: it listens at %s", addr, e.Addr())
		}
		raw, err := e.listener.(*net.TCPListener).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		protocol := 0
		if ctl := raw.Control(func(fd uintptr) { protocol, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL) }); ctl != nil || err != nil {
			t.Fatal(ctl, err)
		}
		if protocol != syscall.IPPROTO_TCP {
			t.Errorf("%s: the socket's protocol is %d, want TCP", addr, protocol)
		}
	}
}
