package epoll

import (
	"golang.org/x/sys/unix"
)

// Vanish closes without a word to the peer, neither FIN nor RST: a socket in repair
// mode (made for moving containers) is only forgotten. That takes CAP_NET_ADMIN; without
// it, the end is a RST, and silent is false.
func Vanish(fd int) (silent bool) {
	if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) != nil {
		Close(fd, true)
		return false
	}
	unix.Close(fd)
	return true
}
