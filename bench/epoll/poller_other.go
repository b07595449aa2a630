//go:build !linux

package epoll

import (
	"errors"
	"net/netip"
	"time"
)

// errNoSwarm is what every run ends with here.
var errNoSwarm = errors.New("the load test needs Linux (epoll, IP_BIND_ADDRESS_NO_PORT); run it there, or in a Linux container")

// Elsewhere than on Linux, where poller_linux.go says what each of these is, all of them fail.

type Poller struct{}

type Readiness struct {
	Client, Attempt           uint32
	Woken                     bool
	Readable, Writable, Ended bool
}

func Open() (*Poller, error) { return nil, errNoSwarm }

func (*Poller) Within() (*Poller, error) { return nil, errNoSwarm }

func (*Poller) Close() {}

func (*Poller) Wake() {}

func (*Poller) Wait(time.Duration) (int, error) { return 0, errNoSwarm }

func (*Poller) Await(time.Duration) error { return errNoSwarm }

func (*Poller) At(int) Readiness { return Readiness{} }

func (*Poller) Watch(int, uint32, uint32, bool, bool) error { return errNoSwarm }

func Dial(netip.AddrPort, netip.Addr) (int, bool, error) { return -1, false, errNoSwarm }

func DialUnix(string) (int, bool, error) { return -1, false, errNoSwarm }

func Error(int) error { return errNoSwarm }

func Read(int, []byte) (n int, blocked bool, err error) { return 0, false, errNoSwarm }

func Write(int, []byte) (n int, blocked bool, err error) { return 0, false, errNoSwarm }

func Untaken(int) int { return 0 }

func Close(int, bool) {}

func Vanish(int) bool { return false }
