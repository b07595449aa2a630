package netstage

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Conn is a connection through a stage. One goroutine may read and one write; any may close it.
type Conn struct {
	net.Conn // the socket

	mu      sync.Mutex
	lines   *transport.Lines // guarded by mu; it has one connection, of slot 0
	plain   []byte           // guarded by mu: the tail of what was opened last
	over    bool             // guarded by mu: what comes and goes is plain
	out     []byte           // guarded by mu: sealed, in order, and not written
	spare   []byte           // guarded by mu: the buffer that is not out
	sending bool             // guarded by mu: a goroutine writes out until it is empty
	sent    sync.Cond        // of mu: it does no more, or closed
	failed  error            // guarded by mu: of a write
	closed  bool             // guarded by mu

	in  []byte // the reader's
	err error  // the reader's: why nothing comes any more
}

// readBytes is what a read of the socket takes at most.
const readBytes = 4096

// closeTime is what the closing words have to reach the kernel.
const closeTime = 50 * time.Millisecond

// New puts the stage, which is the connection's alone, into it. What the stage says first goes out
// with the first Write, so that New does not block.
func New(nc net.Conn, stage transport.Stage) *Conn {
	c := &Conn{Conn: nc, lines: transport.NewLines(stage), in: make([]byte, readBytes)}
	c.sent.L = &c.mu
	c.out = append(c.out, c.lines.Begin(0)...)
	return c
}

// NetConn is the socket.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read waits for plain bytes. Work that the stage would have done elsewhere is done here.
func (c *Conn) Read(b []byte) (int, error) {
	for {
		if n := c.take(b); n > 0 || len(b) == 0 {
			return n, nil
		}
		if c.err != nil {
			return 0, c.err
		}
		n, err := c.Conn.Read(c.in)
		if err = c.receive(c.in[:n], err); err == transport.ErrEnd {
			err = io.EOF
		}
		c.err = err
	}
}

// take is what waits to be read.
func (c *Conn) take(b []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(b, c.plain)
	c.plain = c.plain[n:]
	return n
}

// receive takes what was read of the socket, and the error of that.
func (c *Conn) receive(b []byte, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if c.closed {
			return net.ErrClosed
		}
		if c.over {
			c.plain = append(c.plain, b...)
			return err
		}
		in, opening := c.lines.Receive(0, b)
		c.plain = append(c.plain[:0], in.Plain...)
		c.out = append(c.out, in.Words...)
		c.over = c.lines.Keep(0, nil)
		_ = c.send() // a failure is the writer's to tell: what came before it is still to be read
		if in.Away == nil {
			if opening != nil {
				return opening
			}
			return err
		}
		c.mu.Unlock()
		then := in.Away()
		c.mu.Lock()
		if c.closed {
			return net.ErrClosed
		}
		then()
		c.lines.Resume(0)
		b = nil
	}
}

// Write seals b and writes it; or the reader does, which is at it, and is waited for: what a peer
// does not read must not pile up here. With an error nothing is known of how much was written.
func (c *Conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.over:
		c.out = append(c.out, b...)
	default:
		c.out = append(c.out, c.lines.Seal(0, b)...)
	}
	_ = c.send()
	for c.sending && !c.closed && c.failed == nil {
		c.sent.Wait()
	}
	switch {
	case c.failed != nil:
		return 0, c.failed
	case c.sending: // closed meanwhile
		return 0, net.ErrClosed
	}
	return len(b), nil
}

// send writes what is sealed, in that order. It needs mu, and gives it up while it writes, so that
// a reader is never kept by a peer that does not read.
func (c *Conn) send() error {
	if c.sending {
		return c.failed
	}
	c.sending = true
	for len(c.out) > 0 && c.failed == nil {
		b := c.out
		c.out, c.spare = c.spare[:0], nil
		c.mu.Unlock()
		_, err := c.Conn.Write(b)
		c.mu.Lock()
		c.failed, c.spare = err, b
	}
	c.sending = false
	c.sent.Broadcast()
	return c.failed
}

// Close sends the closing words, if the socket takes them, and closes it.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	if !c.over && !c.sending {
		c.out = append(c.out, c.lines.Close(0, 0)...)
		_ = c.Conn.SetWriteDeadline(time.Now().Add(closeTime))
		_ = c.send()
	}
	c.lines.End(0)
	c.sent.Broadcast()
	return c.Conn.Close()
}
