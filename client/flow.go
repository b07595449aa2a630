package client

import (
	"net"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
)

// maxWraps is how many wrappers are looked through.
const maxWraps = 8

// rawConn is the socket under a connection, through whatever tells what it wraps, as
// *tls.Conn does; nil if there is none to be seen.
func rawConn(nc net.Conn) syscall.RawConn {
	for range maxWraps {
		if s, ok := nc.(syscall.Conn); ok {
			raw, err := s.SyscallConn()
			if err != nil {
				return nil
			}
			return raw
		}
		wrapper, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		nc = wrapper.NetConn()
	}
	return nil
}

// flow is what the link wants to know of the connection. It needs mu.
func (k *conn) flow() link.Flow {
	f := link.Flow{Untaken: len(k.queued) + k.writing, Partial: int(k.partial.Load()), Held: k.busy}
	if untaken, taken, ok := k.kernel(); ok {
		f.Untaken, f.Taken = f.Untaken+untaken, taken
	} else {
		f.Blind = true
	}
	return f
}

// kernel is what the kernel tells of the connection, if anything.
func (k *conn) kernel() (untaken int, taken int64, ok bool) {
	if k.raw == nil {
		return 0, 0, false
	}
	return kernelFlow(k.raw)
}

// tellFlows tells the link what it asks for before a Tick at now. It needs mu, as the next one
// does.
func (c *Client) tellFlows(now time.Duration) {
	for _, k := range c.conns {
		if c.link.Asks(now, k.attempt) {
			c.link.Flow(now, k.attempt, k.flow())
		}
	}
}

// pace returns how long Send of n bytes has to wait by the limits that the server told.
func (c *Client) pace(k *conn, n int) time.Duration {
	return c.paced(k, func() time.Duration { return c.link.Pace(c.now(), n) })
}

// paced is what the link says when it knows what was taken.
func (c *Client) paced(k *conn, pace func() time.Duration) time.Duration {
	wait := pace()
	if wait > 0 {
		c.link.Flow(c.now(), k.attempt, k.flow())
		c.arm()
		wait = pace()
	}
	return wait
}
