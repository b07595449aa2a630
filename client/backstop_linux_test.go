package client

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel's own timeouts of the client's connections are as configured; without a word there are none.
func TestBackstopsOfTheClient(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, c := range []Config{{}, {KeepAlive: 10 * time.Minute}, {UserTimeout: time.Hour}, {KeepAlive: 5 * time.Second, UserTimeout: time.Second}} {
		nc, err := c.dialer().DialContext(t.Context(), "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		raw := rawConn(nc)
		if err := raw.Control(func(fd uintptr) {
			got["keepalive"], _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
			got["idle"], _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
			got["interval"], _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)
			got["timeout"], _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		}); err != nil {
			t.Fatal(err)
		}
		nc.Close()
		if (got["keepalive"] == 1) != (c.KeepAlive != 0) || got["timeout"] != int(c.UserTimeout.Milliseconds()) {
			t.Errorf("%v, %v: %v", c.KeepAlive, c.UserTimeout, got)
		}
		if s := int(c.KeepAlive / time.Second); s != 0 && (got["idle"] != s || got["interval"] != s/5) {
			t.Errorf("%v: %v", c.KeepAlive, got)
		}
	}
	for _, c := range []Config{{KeepAlive: 4 * time.Second}, {KeepAlive: -1}, {UserTimeout: time.Millisecond}} {
		if c.checkBackstops() == nil {
			t.Errorf("%v, %v are taken", c.KeepAlive, c.UserTimeout)
		}
	}
}
