package client

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// keepAliveProbes is how many unanswered probes end a connection.
const keepAliveProbes = 5

// checkBackstops is fill's part for KeepAlive and UserTimeout.
func (c *Config) checkBackstops() error {
	switch {
	case c.KeepAlive != 0 && (c.KeepAlive < keepAliveProbes*time.Second || c.KeepAlive > 9*time.Hour):
		return fmt.Errorf("client: KeepAlive: %v is neither 0 nor within 5s and 9h", c.KeepAlive)
	case c.UserTimeout != 0 && (c.UserTimeout < time.Second || c.UserTimeout > 24*24*time.Hour):
		return fmt.Errorf("client: UserTimeout: %v is neither 0 nor within 1s and 576h", c.UserTimeout)
	case c.UserTimeout != 0 && !hasUserTimeout:
		return errors.New("client: UserTimeout: this system has no TCP_USER_TIMEOUT")
	}
	return nil
}

// dialer makes the client's own connections. What Go does by itself, a probe each 15 s of silence,
// would wake a phone's radio for nothing: the heartbeat is the probe.
func (c *Config) dialer() *net.Dialer {
	d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: c.KeepAlive != 0,
		Idle: c.KeepAlive, Interval: c.KeepAlive / keepAliveProbes, Count: keepAliveProbes}}
	if c.KeepAlive == 0 {
		d.KeepAlive = -1
	}
	if timeout := c.UserTimeout; timeout != 0 {
		d.Control = func(network, _ string, raw syscall.RawConn) (err error) {
			if network == "unix" {
				return nil
			}
			if failed := raw.Control(func(fd uintptr) { err = setUserTimeout(int(fd), timeout) }); failed != nil {
				return failed
			}
			return err
		}
	}
	return d
}
