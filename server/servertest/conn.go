package servertest

import (
	"cmp"
	"io"
	"net"
	"net/netip"

	"github.com/panjf2000/gnet/v2"
)

// conn is a connection as the node sees it. It has no descriptor, so that what the node asks the
// kernel about one is answered by "nobody knows". Owned by the loop.
type conn struct {
	gnet.Conn // nil: a node asks for what is below only

	loop    *loop
	from    netip.Addr
	context any
	client  *Client

	in      []byte // the client has sent it, and the node not consumed
	waiting []byte // the node has written it, and the client not read
	deaf    bool   // the client does not read
	reset   bool   // it shall end with RST
	over    bool
	how     string // it ended, or is about to
}

// readBuffer is how much of what a client has sent a loop reads at a time.
const readBuffer = 64 << 10

// arrive hands the node what the client sends.
func (c *conn) arrive(b []byte) {
	for len(b) > 0 && !c.over {
		n := min(len(b), readBuffer)
		c.in = append(c.in, b[:n]...)
		b = b[n:]
		if c.loop.handler.OnTraffic(c) == gnet.Close {
			_ = c.loop.Close(c)
		}
	}
}

// hangUp ends the connection, once. err is io.EOF or what the socket of a client's would say,
// nil if the node ends it.
func (c *conn) hangUp(err error, how string) {
	if c.over {
		return
	}
	c.end(how)
	c.loop.handler.OnClose(c, err)
}

func (c *conn) end(how string) {
	if !c.over {
		c.over, c.how = true, cmp.Or(c.how, how)
		c.client.stopBeating()
	}
}

// read hands the client what waits for it, and what comes from now on.
func (c *conn) read() {
	c.deaf = false
	b := c.waiting
	c.waiting = nil
	c.client.receive(b)
}

// Write implements gnet.Conn.
func (c *conn) Write(b []byte) (int, error) {
	switch {
	case c.over:
		return 0, net.ErrClosed
	case c.deaf:
		c.waiting = append(c.waiting, b...)
	default:
		c.client.receive(b)
	}
	return len(b), nil
}

// Peek implements gnet.Conn, for all there is.
func (c *conn) Peek(int) ([]byte, error) { return c.in, nil }

// Discard implements gnet.Conn.
func (c *conn) Discard(n int) (int, error) {
	if n > len(c.in) {
		return 0, io.ErrShortBuffer
	}
	c.in = c.in[n:]
	return n, nil
}

// InboundBuffered implements gnet.Conn.
func (c *conn) InboundBuffered() int { return len(c.in) }

// OutboundBuffered implements gnet.Conn.
func (c *conn) OutboundBuffered() int { return len(c.waiting) }

// SetLinger implements gnet.Conn: a close is an RST from now on.
func (c *conn) SetLinger(int) error {
	c.reset = true
	return nil
}

// Fd implements gnet.Conn: there is none.
func (c *conn) Fd() int { return -1 }

// RemoteAddr implements gnet.Conn.
func (c *conn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.from, 1024+uint16(c.client.number%60000)))
}

// LocalAddr implements gnet.Conn: the node has one.
func (c *conn) LocalAddr() net.Addr { return &net.TCPAddr{} }

// EventLoop implements gnet.Conn.
func (c *conn) EventLoop() gnet.EventLoop { return c.loop }

// Context implements gnet.Conn.
func (c *conn) Context() any { return c.context }

// SetContext implements gnet.Conn.
func (c *conn) SetContext(context any) { c.context = context }
