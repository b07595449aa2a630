package client

import (
	"slices"

	"github.com/stormwheel/stormwheel/internal/link"
)

// notice is what Run is to tell the application.
type notice struct {
	event   link.Event    // Kind 0: only info counts
	info    Info          // a new state
	handled chan struct{} // a reader waits until Run has come here
}

// maxNotices is where Run has fallen behind: then log lines are dropped, and a new state
// replaces the one before it. Messages are not: their reader waits for them to be handled.
const maxNotices = 64

// notify needs mu.
func (c *Client) notify(e *link.Event) {
	switch e.Kind {
	case link.PingSent, link.Pong, link.RetryAt, link.Termed:
		return // Info tells
	case link.Stopped:
		if e.Err != nil {
			c.err = e.Err
		}
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
	}
	c.push(notice{event: *e})
}

// noticeState needs mu.
func (c *Client) noticeState() {
	n := notice{info: c.info()}
	if last := len(c.notices) - 1; last >= maxNotices && c.notices[last].event.Kind == 0 && c.notices[last].handled == nil {
		c.notices[last] = n
		return
	}
	c.push(n)
}

func (c *Client) push(n notice) {
	c.notices = append(c.notices, n)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// handleNotices calls the callbacks. It is Run's.
func (c *Client) handleNotices() {
	for {
		c.mu.Lock()
		batch := c.notices
		if len(batch) > 0 {
			c.notices = nil
		}
		stopped := c.link.State() == Stopped
		c.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for i := range batch {
			n := &batch[i]
			switch {
			case n.handled != nil:
				close(n.handled)
			case n.event.Kind == 0:
				if c.cfg.StateChange != nil {
					c.cfg.StateChange(n.info)
				}
			case n.event.Kind == link.Delivered:
				if c.cfg.Deliver != nil && !stopped {
					c.deliver(&n.event)
				}
			case n.event.Kind == link.Acked:
				if c.cfg.Acked != nil {
					c.cfg.Acked(n.event.ID)
				}
			default:
				c.log(&n.event)
			}
		}
		c.keep(batch)
	}
}

// keep gives the slice back, so that a busy session does not allocate one a message.
func (c *Client) keep(batch []notice) {
	clear(batch)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.notices == nil && cap(batch) <= 2*maxNotices {
		c.notices = batch[:0]
	}
}

func (c *Client) deliver(e *link.Event) {
	c.cfg.Deliver(e.ID, e.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link.Ack(c.now(), e.Attempt, e.ID, &c.out)
	c.act()
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
		log.Warn("server sends the client away", "code", e.Code.String(), "delay", e.Delay, "window", e.Window)
	case link.Draining:
		log.Info("the node drains: connecting to another one first")
	case link.Moved:
		log.Info("session has moved", "node", e.Node, "session", e.Session.String())
	case link.Stopped:
		if e.Err != nil {
			log.Error("client stops", "error", e.Err)
		}
	}
}

// await makes a reader wait until Run has handled the notices so far, whose bodies are
// views into the reader's buffer. It needs mu, and gives it up meanwhile.
func (c *Client) await(k *conn) {
	if !slices.ContainsFunc(c.notices, func(n notice) bool {
		return n.event.Kind == link.Delivered || n.event.Kind == link.Acked
	}) {
		return
	}
	handled := make(chan struct{})
	c.push(notice{handled: handled})
	k.busy = true
	c.mu.Unlock()
	<-handled
	c.mu.Lock()
	k.busy = false
	if k == c.current() {
		c.link.Released(c.now())
		c.arm()
	}
}
