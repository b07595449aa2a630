package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

const (
	// reachPatience is how long a target may take to accept the first connection.
	reachPatience = 3 * time.Second
	// welcomePatience is how long a target that accepts may welcome nobody.
	welcomePatience = 10 * time.Second
)

// findServer connects to the targets until one of them accepts. When none does, the run
// could only show that there is no server.
func findServer(ctx context.Context, targets []netip.AddrPort) error {
	var first error
	for _, t := range targets {
		dialer := net.Dialer{Timeout: reachPatience}
		conn, err := dialer.DialContext(ctx, "tcp", t.String())
		if err == nil {
			return conn.Close()
		}
		if first == nil {
			first = fmt.Errorf("no server at %s: %w", t, plainly(err))
		}
	}
	return first
}

// plainly leaves out what net says about where the error is from.
func plainly(err error) error {
	var timeout net.Error
	var errno syscall.Errno
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer in %v", reachPatience)
	case errors.As(err, &errno):
		return errno
	default:
		return err
	}
}

// hasPath reports whether this machine has an address from which to reach another at all. The
// error that says that no local port is left says the same where a family of addresses is missing,
// as that of a server's alternate may be; a datagram socket, whose ports are others, tells.
func (s *swarm) hasPath(endpoint string) bool {
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
