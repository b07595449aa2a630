package swarm

import (
	"errors"
	"net"
	"syscall"
)

// hasPath reports whether this machine has an address from which to reach another at all. The
// error that says that no local port is left says the same where a family of addresses is missing,
// as that of a server's alternate may be; a datagram socket, whose ports are others, tells.
func (s *Swarm) hasPath(endpoint string) bool {
	if known, ok := s.paths.Load(endpoint); ok {
		return known.(bool)
	}
	conn, err := net.Dial("udp", endpoint) // sends nothing
	if err == nil {
		conn.Close()
	}
	has := !errors.Is(err, syscall.EADDRNOTAVAIL)
	s.paths.Store(endpoint, has)
	return has
}
