package client

import (
	"errors"
	"os"
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
	case len(k.queued)+k.writing > 2*c.cfg.MaxQueued:
		c.writeFailed(k, errStalled)
	default:
		k.queued = append(k.queued, frames...)
		if !k.writer {
			k.writer = true
			c.running.Go(func() { c.writeQueued(k) })
		}
	}
}

// writeQueued is the writer: it lives as long as there is something to write.
func (c *Client) writeQueued(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(k.queued) > 0 && k.failed == nil {
		full := k.queued
		k.queued, k.spare = k.spare, nil
		k.writing = len(full)
		for b := full; len(b) > 0 && k.failed == nil; {
			if !k.hungUp { // which sets a last deadline
				k.nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout))
			}
			c.mu.Unlock()
			n, err := k.nc.Write(b)
			c.mu.Lock()
			b = b[n:]
			k.writing = len(b)
			slow := errors.Is(err, os.ErrDeadlineExceeded) && n > 0 && !k.hungUp
			if err != nil && !slow && k.failed == nil {
				c.writeFailed(k, err)
			}
			c.wakeSenders()
		}
		if k.writing = 0; cap(full) <= maxKept {
			k.spare = full[:0]
		}
	}
	k.writer = false
	if k.hungUp {
		k.nc.Close()
	}
}

// writeFailed ends the writing side. The reader reports the loss when it has read what
// the server had to say. But it may have to wait for the application, which may wait in
// Send for another connection: so the loss is reported without it when lastWords is over.
// It needs mu.
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
