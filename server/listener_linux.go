package server

import (
	"bytes"
	"fmt"
	"net/netip"
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

// listenersAt returns the listening sockets that this process has at an address.
func listenersAt(addr netip.AddrPort) (listeners []int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || listens == 0 {
			continue
		}
		sa, err := unix.Getsockname(fd)
		if err == nil && boundAddr(sa) == netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port()) {
			listeners = append(listeners, fd)
		}
	}
	return listeners
}

// boundAddr is a socket's address without a zone; the zero of one that is no TCP socket's.
func boundAddr(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
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
