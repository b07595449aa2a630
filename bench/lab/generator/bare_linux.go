package generator

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// bare is the least that makes connections without blocking: socket, connect and one
// epoll_ctl each, and nothing remembered of it. With Hello it also writes HELLO and reads
// WELCOME. Dressed it makes the system calls that the swarm makes for a connection:
// it binds a source address, as who makes more than 64,000 must, and changes the interest
// once it is connected, as who stays level-triggered must.
func bare(o dial) (map[string]float64, error) {
	to, err := netip.ParseAddrPort(o.target)
	if err != nil {
		return nil, err
	}
	b := bareLoop{to: unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}, hello: o.hello, dressed: o.dressed}
	defer machine.Hurry()()
	took, err := b.run(o.conns)
	if err != nil {
		return nil, err
	}
	return map[string]float64{"connects_s": float64(o.conns) / took.Seconds(), "refused": 0}, nil
}

type bareLoop struct {
	to             unix.SockaddrInet4
	hello, dressed bool

	epoll int
	fds   []int
	stage []stage
	done  int
	input [1024]byte
}

type stage uint8

const (
	connecting stage = iota
	greeted          // HELLO is written
	through
)

const barePatient = time.Minute

// run makes conns connections and keeps them. It tells how long that took.
func (b *bareLoop) run(conns int) (time.Duration, error) {
	var err error
	if b.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return 0, err
	}
	b.fds, b.stage = make([]int, 0, conns), make([]stage, conns)
	events := make([]unix.EpollEvent, inFlight)
	began := time.Now()
	for b.done < conns {
		for len(b.fds) < min(b.done+inFlight, conns) {
			if err := b.open(); err != nil {
				return 0, err
			}
		}
		if time.Since(began) > barePatient {
			return 0, fmt.Errorf("%d of %d connections after %v", b.done, conns, barePatient)
		}
		n, err := unix.EpollWait(b.epoll, events, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		for _, e := range events[:max(n, 0)] {
			if err := b.event(e); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(began), nil
}

func (b *bareLoop) open() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	events := uint32(unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET)
	if b.dressed {
		events = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return err
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 2}}); err != nil {
			return err
		}
	}
	if err := unix.Connect(fd, &b.to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	at := int32(len(b.fds))
	b.fds = append(b.fds, fd)
	return unix.EpollCtl(b.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: at})
}

func (b *bareLoop) event(e unix.EpollEvent) error {
	at := e.Fd
	if e.Events&(unix.EPOLLERR|unix.EPOLLHUP|unix.EPOLLRDHUP) != 0 {
		return fmt.Errorf("connection %d failed", at)
	}
	if b.stage[at] == connecting && e.Events&unix.EPOLLOUT != 0 {
		if err := b.connected(at); err != nil {
			return err
		}
	}
	if b.stage[at] == greeted && e.Events&unix.EPOLLIN != 0 {
		n, err := unix.Read(b.fds[at], b.input[:])
		if err != nil {
			return err
		}
		f, _, err := codec.Decode(b.input[:max(n, 0)], codec.MaxPayload)
		if err != nil {
			return err
		}
		if f.Type != codec.Welcome {
			return fmt.Errorf("connection %d got %v for WELCOME", at, f.Type)
		}
		b.stage[at] = through
		b.done++
	}
	return nil
}

func (b *bareLoop) connected(at int32) error {
	if b.dressed {
		err := unix.EpollCtl(b.epoll, unix.EPOLL_CTL_MOD, b.fds[at], &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: at})
		if err != nil {
			return err
		}
	}
	if !b.hello {
		b.stage[at] = through
		b.done++
		return nil
	}
	hello, err := helloFrame(int(at))
	if err != nil {
		return err
	}
	if n, err := unix.Write(b.fds[at], hello); err != nil || n < len(hello) {
		return fmt.Errorf("HELLO of connection %d: %d bytes written: %w", at, n, err)
	}
	b.stage[at] = greeted
	return nil
}
