package server

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// findListeners returns the listening sockets of the event loop that has the connection fd. gnet
// does not tell its sockets; but a loop's listeners are in the same epoll instance as its
// connections.
func findListeners(fd int) (listeners []int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || to != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		if err != nil {
			continue
		}
		watched := epollTargets(info)
		if !watched[fd] {
			continue
		}
		for fd := range watched {
			if listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && listens == 1 {
				listeners = append(listeners, fd)
			}
		}
		break
	}
	return listeners
}

// epollTargets reads the descriptors out of an epoll instance's fdinfo: "tfd: 9 events: ...".
func epollTargets(info []byte) map[int]bool {
	watched := make(map[int]bool)
	for line := range bytes.Lines(info) {
		if rest, found := strings.CutPrefix(string(line), "tfd:"); found {
			if fields := strings.Fields(rest); len(fields) > 0 {
				if fd, err := strconv.Atoi(fields[0]); err == nil {
					watched[fd] = true
				}
			}
		}
	}
	return watched
}

// setListenBacklog changes how many connections may wait at a listening socket.
func setListenBacklog(fd, n int) error {
	if err := unix.Listen(fd, n); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}
