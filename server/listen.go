package server

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// addrClaim holds an address while the event loops bind it. With SO_REUSEPORT, which
// gnet's loops need, two processes could share a port without an error and port 0 would
// give each loop a port of its own. So a plain listener tests the address first, and a
// bound socket that never listens keeps others from taking it meanwhile.
type addrClaim struct {
	addr   string // as bound, for people
	tcp    *net.TCPAddr
	url    string // the same for gnet
	holder int
}

// claimAddr resolves and claims addr. The error is the net package's.
func claimAddr(addr string) (*addrClaim, error) {
	// An MPTCP listener is another kernel object, which does not tell the zone of its address.
	var plain net.ListenConfig
	plain.SetMultipathTCP(false)
	probe, err := plain.Listen(context.Background(), transport.ListenNetwork(addr), addr)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	tcp := probe.Addr().(*net.TCPAddr)
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	c := &addrClaim{addr: tcp.String(), tcp: tcp, url: "tcp://" + tcp.String(), holder: -1}
	if tcp.IP.To4() == nil && tcp.IP.IsUnspecified() {
		c.url = fmt.Sprintf("tcp://:%d", tcp.Port) // gnet takes "::" for IPv6 only
	}
	if c.holder, err = bindHolder(tcp); err != nil {
		return nil, fmt.Errorf("server: listen tcp %s: %w", c.addr, err)
	}
	return c, nil
}

// release gives up the holder; the event loops hold the address by then.
func (c *addrClaim) release() {
	if c != nil && c.holder >= 0 {
		_ = syscall.Close(c.holder)
		c.holder = -1
	}
}

// bindHolder binds without listening. SO_REUSEADDR is off, so that the probe of another
// process fails against it. Where connections of a server without SO_REUSEPORT are in
// TIME_WAIT, which the probe and the loops pass by SO_REUSEADDR, it is off from the bind on.
func bindHolder(addr *net.TCPAddr) (fd int, err error) {
	if fd, err = bindShared(addr, false); err != unix.EADDRINUSE {
		return fd, err
	}
	if fd, err = bindShared(addr, true); err != nil {
		return -1, err
	}
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 0); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// bindShared binds with SO_REUSEPORT, and SO_REUSEADDR if reuse says so.
func bindShared(addr *net.TCPAddr, reuse bool) (fd int, err error) {
	family, sa := sockaddr(addr)
	syscall.ForkLock.RLock()
	fd, err = unix.Socket(family, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, err
	}
	if reuse {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if err == nil {
		if family == unix.AF_INET6 {
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		}
		if err == nil {
			err = unix.Bind(fd, sa)
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func sockaddr(addr *net.TCPAddr) (family int, sa unix.Sockaddr) {
	if ip4 := addr.IP.To4(); ip4 != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(ip4)}
	}
	sa6 := &unix.SockaddrInet6{Port: addr.Port, Addr: [16]byte(addr.IP.To16())}
	if ifi, err := net.InterfaceByName(addr.Zone); err == nil {
		sa6.ZoneId = uint32(ifi.Index)
	}
	return unix.AF_INET6, sa6
}
