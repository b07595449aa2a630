//go:build !linux

package bench

import (
	"errors"
	"net/netip"
	"time"
)

// errNoSwarm is what every run ends with here.
var errNoSwarm = errors.New("the load test needs Linux (epoll, IP_BIND_ADDRESS_NO_PORT); run it there, or in a Linux container")

type poller struct{}

type readiness struct {
	client, attempt           uint32
	woken                     bool
	readable, writable, ended bool
}

func openPoller() (*poller, error) { return nil, errNoSwarm }

func (*poller) within() (*poller, error)                       { return nil, errNoSwarm }
func (*poller) close()                                         {}
func (*poller) wake()                                          {}
func (*poller) wait(time.Duration) (int, error)                { return 0, errNoSwarm }
func (*poller) at(int) readiness                               { return readiness{} }
func (*poller) watch(int, uint32, uint32, bool, bool) error    { return errNoSwarm }
func dialSocket(netip.AddrPort, netip.Addr) (int, bool, error) { return -1, false, errNoSwarm }
func socketError(int) error                                    { return errNoSwarm }
func readSocket(int, []byte) (n int, blocked bool, err error)  { return 0, false, errNoSwarm }
func writeSocket(int, []byte) (n int, blocked bool, err error) { return 0, false, errNoSwarm }
func rawUntaken(int) int                                       { return 0 }
func closeSocket(int, bool)                                    {}
func vanishSocket(int) bool                                    { return false }
