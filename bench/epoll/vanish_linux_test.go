package epoll

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mayRepair reports whether this process may close without FIN.
func mayRepair(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return Vanish(fd)
}

func TestAVanishedSocketTellsThePeerNothing(t *testing.T) {
	if !mayRepair(t) {
		t.Skip("no CAP_NET_ADMIN here")
	}
	for _, silent := range []bool{true, false} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		peer, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		file, err := c.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		c.Close() // the duplicate keeps the connection
		fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		if silent {
			Vanish(fd)
		} else {
			Close(fd, true)
		}
		if silent { // nothing comes
			peer.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		}
		_, err = peer.Read(make([]byte, 1))
		if told := err == io.EOF || !os.IsTimeout(err); told == silent {
			t.Errorf("silent %v: the peer read %v", silent, err)
		}
	}
}
