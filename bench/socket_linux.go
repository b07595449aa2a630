package bench

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poller is one epoll instance and the eventfd that wakes it. Owned by its loop, except
// wake, which any goroutine may call until close.
type poller struct {
	epoll, event int
	batch        []unix.EpollEvent
}

// wakeKey marks the eventfd among the clients' numbers.
const wakeKey = -1

// withinKey marks a poller within a poller.
const withinKey = -2

func openPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	p := &poller{epoll: epoll, event: event, batch: make([]unix.EpollEvent, batchEvents)}
	err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeKey})
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// within opens a poller that p watches: p's wait ends when there is something in it, and
// says woken.
func (p *poller) within() (*poller, error) {
	inner, err := openPoller()
	if err != nil {
		return nil, err
	}
	err = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, inner.epoll, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: withinKey})
	if err != nil {
		inner.close()
		return nil, err
	}
	return inner, nil
}

func (p *poller) close() {
	unix.Close(p.event)
	unix.Close(p.epoll)
}

func (p *poller) wake() {
	one := [8]byte{7: 1}
	_, _ = unix.Write(p.event, one[:]) // full means that it is awake
}

// wait sleeps until something happens, at most for timeout, rounded up to a millisecond.
func (p *poller) wait(timeout time.Duration) (int, error) {
	millis := int((max(timeout, 0) + time.Millisecond - 1) / time.Millisecond)
	n, err := unix.EpollWait(p.epoll, p.batch, millis)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return max(n, 0), err
}

// readiness is what happened to one socket.
type readiness struct {
	client   uint32
	attempt  uint32
	woken    bool // not a socket: somebody called wake, or a poller within has something
	readable bool
	writable bool
	ended    bool // error, RST or FIN: read until there is no more
}

func (p *poller) at(i int) readiness {
	e := &p.batch[i]
	if e.Fd == withinKey {
		return readiness{woken: true}
	}
	if e.Fd == wakeKey {
		var drained [8]byte
		_, _ = unix.Read(p.event, drained[:])
		return readiness{woken: true}
	}
	return readiness{
		client: uint32(e.Fd), attempt: uint32(e.Pad),
		readable: e.Events&unix.EPOLLIN != 0,
		writable: e.Events&unix.EPOLLOUT != 0,
		ended:    e.Events&(unix.EPOLLERR|unix.EPOLLHUP|unix.EPOLLRDHUP) != 0,
	}
}

// watch begins or changes the interest in a socket; EPOLLOUT only while asked for, since
// it is level-triggered.
func (p *poller) watch(fd int, client, attempt uint32, writable, first bool) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(client), Pad: int32(attempt)}
	if writable {
		e.Events |= unix.EPOLLOUT
	}
	op := unix.EPOLL_CTL_MOD
	if first {
		op = unix.EPOLL_CTL_ADD
	}
	return unix.EpollCtl(p.epoll, op, fd, &e)
}

// dialSocket starts a non-blocking connect. The source, when valid, is bound without a
// port (IP_BIND_ADDRESS_NO_PORT), so that the kernel picks one that is free for this
// target, not one that is free for all.
func dialSocket(to netip.AddrPort, from netip.Addr) (int, error) {
	family := unix.AF_INET
	if !to.Addr().Is4() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if from.IsValid() && to.Addr().Is4() {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()})
		}
	}
	if err == nil {
		err = unix.Connect(fd, sockaddr(to))
	}
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

// socketError is why a connect failed; nil if it did not.
func socketError(fd int) error {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return syscall.Errno(code)
	}
	return nil
}

// readSocket and writeSocket move what is possible now; blocked says that nothing was.
func readSocket(fd int, b []byte) (n int, blocked bool, err error) {
	return moved(retry(func() (int, error) { return unix.Read(fd, b) }))
}

func writeSocket(fd int, b []byte) (n int, blocked bool, err error) {
	return moved(retry(func() (int, error) { return unix.Write(fd, b) }))
}

func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func moved(n int, err error) (int, bool, error) {
	if errors.Is(err, unix.EAGAIN) {
		return 0, true, nil
	}
	return max(n, 0), false, err
}

// closeSocket closes; with reset by RST, which leaves nothing behind in the kernel.
func closeSocket(fd int, reset bool) {
	if reset {
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	unix.Close(fd)
}

// descriptorLimit is how many descriptors this process may have (Go raises the soft limit
// to the hard one at start).
func descriptorLimit() int {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 1024
	}
	return int(min(l.Cur, 1<<30))
}
