package client

import (
	"errors"
	"time"
)

const (
	// hangUpTimeout is what a connection that the link gave up gets for its last frames.
	hangUpTimeout = time.Second

	// lastWords is how long a connection is read at most after a Write failed: a server
	// that sends the client away may have closed before it read everything, and its GOAWAY
	// is then still on this side.
	lastWords = 2 * time.Second

	// maxKept is the size in bytes above which a write buffer is not kept.
	maxKept = 64 << 10

	// leastQueued is the least MaxQueued as far as what the link sends again is concerned, and
	// the one message that always fits.
	leastQueued = 128 << 10

	// maxPiece bounds one Write, in bytes: what is in its hands has not moved, for all that
	// can be seen of a connection without a socket.
	maxPiece = 16 << 10

	// The least rate at which bytes have to move: that of section "The life of a connection"
	// of docs/PROTOCOL.md.
	leastBytes = 4096
	leastTime  = 10 * time.Second
)

// errStalled ends a connection whose server does not read.
var errStalled = errors.New("the server does not read")

// hasRoom reports whether Send may queue n bytes. One message always fits into an empty
// queue. It needs mu.
func (k *conn) hasRoom(n, limit int) bool {
	have := len(k.queued) + k.writing
	return k.failed == nil && (have == 0 || have+n <= limit)
}

// write queues frames of the link. Nobody waits for a Write: neither the link's timer nor
// a reader. Send keeps to the limit by itself; PINGs and ACKs may use as much again, and
// a server that lets them pile up beyond that loses the connection. It needs mu.
func (c *Client) write(k *conn, frames []byte) {
	switch {
	case k.failed != nil:
	case len(k.queued)+k.writing > 2*max(c.cfg.MaxQueued, leastQueued):
		c.writeFailed(k, errStalled)
	default:
		k.queued = append(k.queued, frames...)
		if !k.writer {
			k.writer = true
			c.watchWrites(k)
			c.running.Go(func() { c.writeQueued(k) })
		}
	}
}

// writeQueued is the writer: it lives as long as there is something to write. It sets no
// deadlines, since a TLS connection is broken for ever once one has passed: checkWrites ends
// a Write that leads nowhere.
func (c *Client) writeQueued(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.flushAcks(k); len(k.queued) > 0 && k.failed == nil; c.flushAcks(k) {
		full := k.queued
		k.queued, k.spare = k.spare, nil
		k.writing = len(full)
		for b := full; len(b) > 0 && k.failed == nil; {
			k.piece = min(len(b), maxPiece)
			piece := b[:k.piece]
			c.mu.Unlock()
			n, err := k.nc.Write(piece)
			c.mu.Lock()
			b = b[n:]
			k.writing = len(b)
			k.written += int64(n)
			if err != nil && k.failed == nil {
				c.writeFailed(k, err)
			}
			c.wakeSenders()
		}
		if k.writing = 0; cap(full) <= maxKept {
			k.spare = full[:0]
		}
	}
	k.writer = false
	k.watch.Stop()
	if k.hungUp {
		k.nc.Close()
	}
}

// watchWrites has somebody look after a writer that begins. It needs mu, as the next three
// do.
func (c *Client) watchWrites(k *conn) {
	k.moved, k.carriedThen = time.Now(), -1
	if k.watch != nil {
		k.watch.Reset(c.cfg.WriteTimeout / 4)
		return
	}
	k.watch = time.AfterFunc(c.cfg.WriteTimeout/4, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.checkWrites(k)
	})
}

// checkWrites ends a connection of which nothing was written or taken for WriteTimeout. Where
// no more is to be seen than that a Write has returned, a piece has the time of the least
// rate.
func (c *Client) checkWrites(k *conn) {
	if !k.writer || k.failed != nil || k.hungUp {
		return
	}
	timeout := c.cfg.WriteTimeout
	if k.raw == nil {
		timeout = max(timeout, leastTime*time.Duration(k.piece)/leastBytes)
	}
	if carried := k.carried(); carried > k.carriedThen {
		k.carriedThen, k.moved = carried, time.Now()
	}
	if time.Since(k.moved) >= timeout {
		c.writeFailed(k, errStalled)
		k.nc.SetWriteDeadline(time.Unix(1, 0)) // the writer returns
		return
	}
	k.watch.Reset(c.cfg.WriteTimeout / 4)
}

// carried grows whenever bytes leave the client or the kernel.
func (k *conn) carried() int64 {
	_, taken, _ := k.kernel()
	return k.written + taken
}

// writeFailed ends the writing side. The reader reports the loss when it has read what
// the server had to say. But it may have to wait for the application, which may wait in
// Send for another connection: so the loss is reported without it when lastWords is over.
func (c *Client) writeFailed(k *conn, err error) {
	k.failed = err
	k.queued = nil
	if !c.wanted(k) {
		return
	}
	c.running.Go(func() {
		late := time.NewTimer(lastWords)
		defer late.Stop()
		select {
		case <-k.ctx.Done():
		case <-late.C:
			c.disconnected(k, err)
			k.nc.Close()
		}
	})
}
