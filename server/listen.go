package server

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// addrClaim holds an address while the event loops bind it. With SO_REUSEPORT, which
// gnet's loops need, two processes could share a port without an error and port 0 would
// give each loop a port of its own. So a plain listener tests the address first, and a
// bound socket that never listens keeps others from taking it meanwhile.
type addrClaim struct {
	addr   string // as bound, for people
	url    string // the same for gnet
	holder int
}

// claimAddr resolves and claims addr. The error is the net package's.
func claimAddr(addr string) (*addrClaim, error) {
	probe, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	tcp := probe.Addr().(*net.TCPAddr)
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	c := &addrClaim{addr: tcp.String(), url: "tcp://" + tcp.String(), holder: -1}
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
	if c.holder >= 0 {
		_ = syscall.Close(c.holder)
		c.holder = -1
	}
}

// bindHolder binds without listening. SO_REUSEADDR stays off, so that the probe of
// another process fails against it.
func bindHolder(addr *net.TCPAddr) (fd int, err error) {
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
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err == nil {
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
