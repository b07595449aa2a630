package nodes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// reachPatience is how long a target may take to accept the first connection.
const reachPatience = 3 * time.Second

// Find connects to the targets until one of them accepts. When none does, the run
// could only show that there is no server.
func Find(ctx context.Context, targets []netip.AddrPort) error {
	var first error
	for _, t := range targets {
		dialer := net.Dialer{Timeout: reachPatience}
		conn, err := dialer.DialContext(ctx, "tcp", t.String())
		if err == nil {
			return conn.Close()
		}
		if first == nil {
			first = fmt.Errorf("no server at %s: %w", t, Plainly(err))
		}
	}
	return first
}

// Plainly leaves out what net says about where the error is from.
func Plainly(err error) error {
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
