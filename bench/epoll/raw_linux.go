package epoll

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of a loop never block, so they are made without a word to Go's
// scheduler. After each call that it knows of, the runtime's monitor thread looks every
// 20 µs whether the call has blocked, until the process sleeps: where there are fifty
// workers for two processors, that took a fourth of them.

// failed is code as an error, nil for none.
func failed(code syscall.Errno) error {
	if code == 0 {
		return nil
	}
	return code
}

// rawMove reads or writes.
func rawMove(call uintptr, fd int, b []byte) (int, error) {
	n, _, code := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}

// rawAddress binds or connects.
func rawAddress(call uintptr, fd int, a netip.AddrPort) error {
	port := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, a.Port()))
	if a.Addr().Is4() {
		to := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port, Addr: a.Addr().As4()}
		_, _, code := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&to)), unsafe.Sizeof(to))
		return failed(code)
	}
	to := unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: a.Addr().As16(), Scope_id: zoneIndex(a.Addr().Zone())}
	_, _, code := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&to)), unsafe.Sizeof(to))
	return failed(code)
}

// zones are the indices of the interfaces that targets have named: to ask for one takes
// longer than to connect.
var zones sync.Map

// zoneIndex is the number of a zone, which may be its name, too; 0 for none.
func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if index, known := zones.Load(zone); known {
		return index.(uint32)
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		zones.Store(zone, uint32(ifi.Index))
		return uint32(ifi.Index)
	}
	index, _ := strconv.ParseUint(zone, 10, 32) // the kernel refuses 0
	return uint32(index)
}

// rawConnected reports whether a socket has a peer.
func rawConnected(fd int) bool {
	var peer unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(peer))
	_, _, code := unix.RawSyscall(unix.SYS_GETPEERNAME, uintptr(fd), uintptr(unsafe.Pointer(&peer)), uintptr(unsafe.Pointer(&size)))
	return code == 0
}

func rawSetOption(fd, level, name int, value int32) error {
	_, _, code := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(&value)), unsafe.Sizeof(value), 0)
	return failed(code)
}

func rawOption(fd, level, name int) (int32, error) {
	var value int32
	size := uint32(unsafe.Sizeof(value))
	_, _, code := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(&value)), uintptr(unsafe.Pointer(&size)), 0)
	return value, failed(code)
}

// Untaken is how many of the bytes that were written the peer's kernel has not taken; 0
// where that is not known.
func Untaken(fd int) int {
	var n int32
	_, _, _ = unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	return int(n)
}

func rawClose(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// rawPoll takes what an epoll has, without waiting.
func rawPoll(epoll int, batch []unix.EpollEvent) (int, error) {
	n, _, code := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll),
		uintptr(unsafe.Pointer(unsafe.SliceData(batch))), uintptr(len(batch)), 0, 0, 0)
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}

// rawSetTimer has a timerfd be readable once, after d, and not before.
func rawSetTimer(timer int, d time.Duration) error {
	end := unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}
	_, _, code := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(timer), 0, uintptr(unsafe.Pointer(&end)), 0, 0, 0)
	return failed(code)
}
