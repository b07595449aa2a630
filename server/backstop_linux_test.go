package server

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What the configuration says of the kernel's own timeouts is set on every TCP connection, and
// nothing where it says nothing.
func TestBackstopsAreSet(t *testing.T) {
	for _, c := range []struct{ keepAlive, userTimeout time.Duration }{{0, 0}, {10 * time.Minute, 0}, {0, time.Hour}, {5 * time.Second, 90 * time.Second}} {
		opened := make(chan int, 1)
		var s *Server
		ready := make(chan struct{})
		s = startNode(t, Config{Loops: 1, KeepAlive: c.keepAlive, UserTimeout: c.userTimeout, Handler: Handler{Opened: func(*Session) {
			<-ready
			l := (*s.loops.Load())[0]
			opened <- l.conn(0).Fd()
		}}})
		close(ready)
		joinNode(t, s, "one")
		fd := <-opened
		get := func(level, name int) int {
			n, err := unix.GetsockoptInt(fd, level, name)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if on := get(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 1; on != (c.keepAlive != 0) {
			t.Errorf("%+v: keepalive is %v", c, on)
		} else if on {
			idle, interval, count := get(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE), get(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL), get(unix.IPPROTO_TCP, unix.TCP_KEEPCNT)
			if want := int(c.keepAlive / time.Second); idle != want || interval != want/5 || count != 5 {
				t.Errorf("%+v: probes after %d s, each %d s, %d of them", c, idle, interval, count)
			}
		}
		if ms := get(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); ms != int(c.userTimeout.Milliseconds()) {
			t.Errorf("%+v: the user timeout is %d ms", c, ms)
		}
	}
}

func TestBackstopsThatMakeNoSense(t *testing.T) {
	for want, cfg := range map[string]Config{
		"KeepAlive must be 0, or 5s to 9h0m0s, not 4s": {KeepAlive: 4 * time.Second}, "KeepAlive must": {KeepAlive: -1},
		"UserTimeout must be 0, or 1s": {UserTimeout: time.Millisecond},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", cfg, err, want)
		}
	}
}
