package epoll

import (
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Poller is one epoll instance, the timer that bounds its wait and the eventfd that wakes
// it. Owned by its loop, except wake, which any goroutine may call until close.
//
// Its wait blocks in Go's own poller, which watches this one, and not in a call of its own:
// see raw_linux.go.
type Poller struct {
	epoll, event, timer int
	batch               []unix.EpollEvent
	file                *os.File // epoll, as Go's poller knows it
	conn                syscall.RawConn
	take                func(uintptr) bool // fills batch; one closure for all waits
	taken               int
	err                 error
}

// Keys that are not clients' numbers.
const (
	wakeKey   = -1 // the eventfd
	withinKey = -2 // a poller within a poller
	timerKey  = -3
)

// Open opens a poller with nothing to watch but calls of Wake.
func Open() (p *Poller, err error) {
	p = &Poller{epoll: -1, event: -1, timer: -1, batch: make([]unix.EpollEvent, BatchEvents)}
	defer func() {
		if err != nil {
			p.Close()
			p = nil
		}
	}()
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return
	}
	if err = unix.SetNonblock(p.epoll, true); err != nil { // what os.NewFile gives to Go's poller
		return
	}
	p.file = os.NewFile(uintptr(p.epoll), "epoll")
	if p.conn, err = p.file.SyscallConn(); err != nil {
		return
	}
	if p.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return
	}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return
	}
	for fd, key := range map[int]int32{p.event: wakeKey, p.timer: timerKey} {
		if err = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: key}); err != nil {
			return
		}
	}
	p.take = func(uintptr) bool {
		p.taken, p.err = p.poll()
		return p.taken > 0 || p.err != nil
	}
	return
}

// Within opens a poller that p watches: p's wait ends when there is something in it, and
// says woken. It is only ever asked what has happened: Wait(0).
func (p *Poller) Within() (*Poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	inner := &Poller{epoll: epoll, event: -1, timer: -1, batch: make([]unix.EpollEvent, BatchEvents)}
	err = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, inner.epoll, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: withinKey})
	if err != nil {
		inner.Close()
		return nil, err
	}
	return inner, nil
}

// Close may follow a failed Open.
func (p *Poller) Close() {
	for _, fd := range []int{p.event, p.timer} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if p.file != nil {
		p.file.Close()
	} else if p.epoll >= 0 {
		unix.Close(p.epoll)
	}
}

// FD is the epoll itself, for whoever reads /proc/self/fdinfo.
func (p *Poller) FD() int { return p.epoll }

// Wake ends the wait under way, or the next.
func (p *Poller) Wake() {
	one := [8]byte{7: 1}
	_, _ = unix.Write(p.event, one[:]) // full means that it is awake
}

// Wait sleeps until something happens, at most for timeout, rounded up to a millisecond.
func (p *Poller) Wait(timeout time.Duration) (int, error) {
	if timeout <= 0 {
		return p.poll()
	}
	millis := (timeout + time.Millisecond - 1) / time.Millisecond
	if err := rawSetTimer(p.timer, millis*time.Millisecond); err != nil {
		return 0, err
	}
	if err := p.conn.Read(p.take); err != nil {
		return 0, err
	}
	return p.taken, p.err
}

// Await sleeps until something happens, at most for timeout, to about 50 µs, and takes nothing: Wait(0) does.
// Meanwhile its thread is asleep, and not in Go's poller.
func (p *Poller) Await(timeout time.Duration) error {
	left := unix.NsecToTimespec(max(0, timeout).Nanoseconds())
	_, err := unix.Ppoll([]unix.PollFd{{Fd: int32(p.epoll), Events: unix.POLLIN}}, &left, nil)
	if err == unix.EINTR {
		return nil
	}
	return err
}

// poll takes what has happened already.
func (p *Poller) poll() (int, error) {
	n, err := rawPoll(p.epoll, p.batch)
	if err == unix.EINTR {
		return 0, nil
	}
	return n, err
}

// Readiness is what happened to one socket.
type Readiness struct {
	Client   uint32
	Attempt  uint32
	Woken    bool // not a socket: somebody called wake, a poller within has something, or it is time
	Readable bool
	Writable bool
	Ended    bool // error, RST or FIN: read until there is no more
}

// At is the i-th of the events that the latest Wait counted.
func (p *Poller) At(i int) Readiness {
	e := &p.batch[i]
	switch e.Fd {
	case wakeKey:
		var drained [8]byte
		_, _, _ = Read(p.event, drained[:])
		return Readiness{Woken: true}
	case withinKey, timerKey: // setting the timer again clears it
		return Readiness{Woken: true}
	}
	return Readiness{
		Client: uint32(e.Fd), Attempt: uint32(e.Pad),
		Readable: e.Events&unix.EPOLLIN != 0,
		Writable: e.Events&unix.EPOLLOUT != 0,
		Ended:    e.Events&(unix.EPOLLERR|unix.EPOLLHUP|unix.EPOLLRDHUP) != 0,
	}
}

// Watch begins or changes the interest in a socket; EPOLLOUT only while asked for, since
// it is level-triggered.
func (p *Poller) Watch(fd int, client, attempt uint32, writable, first bool) error {
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

// Dial starts a non-blocking connect, which may be done at once: over loopback, the
// peer's kernel has answered before connect() returns. The source, when valid, is bound without a
// port (IP_BIND_ADDRESS_NO_PORT), so that the kernel picks one that is free for this
// target, not one that is free for all. Small writes leave at once (TCP_NODELAY), as those of Go's own sockets
// do: else one that follows another waits for the peer's kernel to acknowledge that, for 40 ms.
func Dial(to netip.AddrPort, from netip.Addr) (fd int, done bool, err error) {
	family := unix.AF_INET
	if !to.Addr().Is4() {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, false, err
	}
	if from.IsValid() && to.Addr().Is4() {
		if err = rawSetOption(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err == nil {
			err = rawAddress(unix.SYS_BIND, fd, netip.AddrPortFrom(from, 0))
		}
	}
	if err == nil {
		err = rawSetOption(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = rawAddress(unix.SYS_CONNECT, fd, to)
	}
	if err != nil && err != unix.EINPROGRESS {
		rawClose(fd)
		return -1, false, err
	}
	return fd, rawConnected(fd), nil
}

// DialUnix is Dial to a unix socket, which is done at once or fails: with EAGAIN where too many wait.
func DialUnix(path string) (fd int, done bool, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, false, err
	}
	if err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		rawClose(fd)
		return -1, false, err
	}
	return fd, true, nil
}

// Error is why a connect failed; nil if it did not.
func Error(fd int) error {
	code, err := rawOption(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return syscall.Errno(code)
	}
	return nil
}

// Read moves what is possible now; blocked says that nothing was.
func Read(fd int, b []byte) (n int, blocked bool, err error) { return move(unix.SYS_READ, fd, b) }

// Write is Read the other way.
func Write(fd int, b []byte) (n int, blocked bool, err error) {
	return move(unix.SYS_WRITE, fd, b)
}

func move(call uintptr, fd int, b []byte) (n int, blocked bool, err error) {
	for {
		n, err = rawMove(call, fd, b)
		switch err {
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, true, nil
		default:
			return n, false, err
		}
	}
}

// Close closes; with reset by RST, which leaves nothing behind in the kernel.
func Close(fd int, reset bool) {
	if reset {
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	rawClose(fd)
}
