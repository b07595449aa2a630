package server

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// listenBacklog is how many connections may wait at a listening socket: for those, TCP_INFO
// tells it where others have the bytes that were acknowledged selectively.
func listenBacklog(t *testing.T, fd int) int {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sacked)
}

// somaxconn is what the kernel lets wait at most.
func somaxconn(t *testing.T) int {
	b, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEpollTargetsAreRead(t *testing.T) {
	got := epollTargets([]byte("pos:\t0\nflags:\t02\ntfd:        5 events:       19 data: 5  pos:0 ino:61af sdev:7\ntfd:       11 events: 1 data: b\ntfd:\n"))
	if len(got) != 2 || !got[5] || !got[11] {
		t.Errorf("targets %v, want 5 and 11", got)
	}
}
