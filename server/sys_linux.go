package server

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// unreadBytes asks the kernel how much a socket has received that nobody has read.
func unreadBytes(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// unsentBytes asks the kernel how much of what was written the peer has not acknowledged.
func unsentBytes(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// waited asks the kernel how long ago a peer's last bytes came, and whether it is still
// there: neither FIN nor RST came after them.
func waited(fd int) (wait time.Duration, there bool) {
	var info unix.TCPInfo
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, true // no TCP: nobody knows
	}
	return time.Duration(info.Last_data_recv) * time.Millisecond, info.State == tcpEstablished
}

const tcpEstablished = 1 // include/net/tcp_states.h
