package server

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// The kernel's own ideas of a dead peer, behind those of the protocol. What they see and what not is
// in docs/HEARTBEATS.md.

// keepAliveProbes is how many unanswered probes end a connection.
const keepAliveProbes = 5

// Bounds of Config.KeepAlive and UserTimeout: whole seconds between probes, and the fields of the kernel.
const (
	minKeepAlive   = keepAliveProbes * time.Second
	maxKeepAlive   = 9 * time.Hour
	minUserTimeout = time.Second
	maxUserTimeout = 24 * 24 * time.Hour
)

// validateBackstops is validate's part for them.
func (c *Config) validateBackstops() error {
	switch {
	case c.KeepAlive != 0 && (c.KeepAlive < minKeepAlive || c.KeepAlive > maxKeepAlive):
		return fmt.Errorf("server: KeepAlive must be 0, or %v to %v, not %v", minKeepAlive, maxKeepAlive, c.KeepAlive)
	case c.UserTimeout != 0 && (c.UserTimeout < minUserTimeout || c.UserTimeout > maxUserTimeout):
		return fmt.Errorf("server: UserTimeout must be 0, or %v to %v, not %v", minUserTimeout, maxUserTimeout, c.UserTimeout)
	case c.UserTimeout != 0 && !hasUserTimeout:
		return errors.New("server: UserTimeout: this system has no TCP_USER_TIMEOUT")
	}
	return nil
}

// setBackstops sets what the configuration says of a new TCP connection. It costs system calls at
// accept only where it says something.
func (l *loop) setBackstops(c gnet.Conn) {
	cfg := &l.srv.cfg
	if cfg.KeepAlive == 0 && cfg.UserTimeout == 0 || l.srv.inMemory {
		return
	}
	var err error
	if d := cfg.KeepAlive; d != 0 {
		err = c.SetKeepAlive(true, d, d/keepAliveProbes, keepAliveProbes)
	}
	if d := cfg.UserTimeout; d != 0 && err == nil {
		err = setUserTimeout(c.Fd(), d)
	}
	if err != nil { // it has gone already; else the protocol's own timeouts hold
		l.srv.cfg.Logger.Debug("a connection has no backstop", slog.Any("err", err))
	}
}
