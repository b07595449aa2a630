package client

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// notice is what there is to tell the application.
type notice struct {
	event   link.Event    // Kind 0: only info counts
	info    Info          // a new state
	loss    *Loss         // a session has ended: for OnLost
	handled chan struct{} // a reader waits until its turn has come
	left    *conn         // whose reader has left a buffer behind, which is free when its turn has come
	size    int           // of it, bytes
}

// maxNotices is where the callbacks have fallen behind: then log lines are dropped, and a new state
// replaces the one before it. Messages are not: their reader waits for them to be handled.
const maxNotices = 64

// notify needs mu.
func (c *Client) notify(e *link.Event) {
	e.Err = public(e.Err)
	switch e.Kind {
	case link.PingSent, link.Pong, link.RetryAt, link.Termed:
		return // Info tells
	case link.Limited:
		c.wakeSenders()
		c.compareMaxDeliver()
		return
	case link.Expiring:
		c.renew(e.Attempt)
		return
	case link.Acked, link.Nacked, link.Replied, link.GivenUp:
		c.settled(e)
		return
	case link.Stopped:
		if e.Err != nil {
			c.err = e.Err
		}
		c.ended()
	case link.Draining, link.Moved:
		c.noticeState() // ready before and after, but not the same session
		c.wakeSenders() // a new connection has room
		if len(c.notices) >= maxNotices {
			return
		}
	case link.Ready, link.Lost, link.GoneAway:
		if len(c.notices) >= maxNotices {
			return
		}
		if e.WasReady {
			c.noticeLost(e)
		}
	}
	c.push(notice{event: *e})
	if e.Kind == link.Ready || e.Kind == link.Moved {
		c.compareMaxDeliver()
	}
}

// compareMaxDeliver has it logged, once, that a server sends more than the client takes: the session goes
// on until such a message comes. It needs mu.
func (c *Client) compareMaxDeliver() {
	told := int64(c.link.Info().MaxDeliver)
	if told <= int64(c.linkCfg.MaxPayload) || c.saidTooLarge {
		return
	}
	c.saidTooLarge = true
	c.push(notice{event: link.Event{Kind: link.Limited, Err: fmt.Errorf(
		"the server sends payloads of up to %d bytes, and Config.MaxPayload takes %d", told, c.linkCfg.MaxPayload)}})
}

// noticeState needs mu.
func (c *Client) noticeState() {
	n := notice{info: c.info()}
	if last := len(c.notices) - 1; last >= maxNotices && c.notices[last].isState() {
		c.notices[last] = n
		return
	}
	c.push(n)
}

// isState reports whether a notice tells a state and nothing else.
func (n *notice) isState() bool {
	return n.event.Kind == 0 && n.handled == nil && n.left == nil && n.loss == nil
}

func (c *Client) push(n notice) {
	c.notices = append(c.notices, n)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// handleNotices calls the callbacks for what there is to tell. If one of them ends the
// goroutine, the next call goes on after it.
func (c *Client) handleNotices() {
	for c.more() {
		n := &c.batch[c.next]
		if settles(n) && n.event.ID < n.event.Last {
			number := n.event.ID
			n.event.ID++
			c.call("Settled", func() { c.cfg.Settled(number, outcome(&n.event)) }, nil)
			continue
		}
		c.next++
		switch {
		case n.left != nil:
			c.mu.Lock()
			n.left.ahead -= n.size
			c.mu.Unlock()
		case n.handled != nil:
			close(n.handled)
		case n.loss != nil:
			c.tellLost(n.loss)
		case n.event.Kind == 0:
			if c.cfg.StateChange != nil {
				c.call("StateChange", func() { c.cfg.StateChange(n.info) }, nil)
			}
		case n.event.Kind == link.Delivered:
			if !c.hasStopped() {
				c.deliver(Message{Number: n.event.ID, Body: n.event.Body, WantsReply: n.event.WantsReply, client: c, attempt: n.event.Attempt})
			}
		case settles(n):
			c.took(n.event.Body)
			c.call("Settled", func() { c.cfg.Settled(n.event.ID, outcome(&n.event)) }, nil)
		default:
			c.log(&n.event)
		}
	}
}

// took counts a body that is in the hands of Settled now.
func (c *Client) took(body []byte) {
	if len(body) > 0 {
		c.mu.Lock()
		c.bodies -= len(body)
		c.mu.Unlock()
	}
}

// more reports whether there is a notice to handle. It gives the old batch back, so that a busy
// session does not allocate one a message.
func (c *Client) more() bool {
	if c.next < len(c.batch) {
		return true
	}
	clear(c.batch)
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.batch[:0]
	c.batch, c.next = c.notices, 0
	if c.notices = nil; cap(old) <= 2*maxNotices {
		c.notices = old
	}
	return len(c.batch) > 0
}

func (c *Client) hasStopped() bool {
	select {
	case <-c.stopped:
		return true
	default:
		return false
	}
}

// settles reports whether a notice is for Settled.
func settles(n *notice) bool {
	return n.event.Kind == link.Acked || n.event.Kind == link.Nacked || n.event.Kind == link.GivenUp
}

func (c *Client) log(e *link.Event) {
	log := c.cfg.Logger
	switch e.Kind {
	case link.Ready:
		log.Info("session is ready", "node", e.Node, "session", e.Session.String())
	case link.Lost:
		if e.WasReady {
			log.Warn("session is lost", "reason", e.Reason.String(), "error", e.Err)
		} else {
			log.Info("attempt failed", "reason", e.Reason.String(), "error", e.Err)
		}
	case link.GoneAway:
		level, reason := slog.LevelWarn, ""
		if e.Code.Advice() == codec.AvoidAddress {
			level = slog.LevelError // somebody has to mend something
		}
		if said, ok := e.Err.(*CodeError); ok {
			reason = said.Reason
		}
		log.Log(context.Background(), level, "server sends the client away", "code", e.Code.String(), "reason", reason, "delay", e.Delay, "window", e.Window)
	case link.Draining:
		log.Info("the node drains: connecting to another one first")
	case link.Moved:
		log.Info("session has moved", "node", e.Node, "session", e.Session.String())
	case link.Limited:
		log.Warn("a larger message will end the session", "error", e.Err)
	case link.Expiring:
		log.Warn("the token is not renewed", "error", e.Err)
	case link.Stopped:
		if e.Err != nil {
			log.Error("client stops", "error", e.Err)
		}
	}
}

const (
	// maxAhead bounds, in bytes, what is read of a connection while a callback has not returned.
	maxAhead = 4 << 20

	// aheadAfter is how long a reader waits for a callback before it reads on.
	aheadAfter = 2 * time.Millisecond
)

// await makes a reader wait until the notices so far are handled, whose bodies are views into
// the reader's buffer, of size bytes. left says that it has to go on with another one: a Send
// waits for messages to be settled, perhaps in a callback, and the answers are still to be
// read. It needs mu, and gives it up meanwhile.
func (c *Client) await(k *conn, size int) (left bool) {
	if !slices.ContainsFunc(c.notices, func(n notice) bool { return n.event.Kind == link.Delivered || settles(&n) }) {
		return false
	}
	handled := make(chan struct{})
	c.push(notice{handled: handled})
	k.busy = true
	for done := false; !done && !left; {
		starved := c.starved
		var late <-chan time.Time
		switch {
		case k.ahead+size > maxAhead:
			starved = nil
		case c.starving > 0:
			late = time.After(aheadAfter)
		}
		c.mu.Unlock()
		select {
		case <-handled:
			done = true
			c.mu.Lock()
		case <-starved:
			c.mu.Lock()
		case <-late:
			c.mu.Lock()
			left = c.starving > 0
		}
	}
	k.busy = false
	if k == c.current() {
		c.link.Released(c.now())
		c.arm()
	}
	if left {
		k.ahead += size
		c.push(notice{left: k, size: size})
	}
	return left
}

// starve has the readers go on, for a Send that waits for messages to be settled. It needs mu.
func (c *Client) starve() {
	if c.starving++; c.starving == 1 {
		close(c.starved)
		c.starved = make(chan struct{})
	}
}
