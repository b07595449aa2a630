package nodes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// reachPatience is how long a target may take to accept the first connection.
const reachPatience = 3 * time.Second

// Find connects to the targets until one of them accepts. When none does, the run
// could only show that there is no server.
func Find(ctx context.Context, targets []string) error {
	var first error
	for _, t := range targets {
		network, addr := "tcp", t
		if path, is := strings.CutPrefix(t, "unix:"); is {
			network, addr = "unix", path
		}
		dialer := net.Dialer{Timeout: reachPatience}
		conn, err := dialer.DialContext(ctx, network, addr)
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
