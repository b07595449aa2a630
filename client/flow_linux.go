package client

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelFlow asks the kernel for the bytes of a TCP connection that it has and the peer's
// has not, and for those that the peer's has taken, of all that was ever written. ok is false
// for what is no TCP.
func kernelFlow(raw syscall.RawConn) (untaken int, taken int64, ok bool) {
	err := raw.Control(func(fd uintptr) {
		var info unix.TCPInfo
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			return
		}
		n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		untaken, taken, ok = n, int64(info.Bytes_acked), err == nil
	})
	return untaken, taken, ok && err == nil
}
