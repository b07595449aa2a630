package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/internal/link"
)

// dripping is a frame that goes out byte by byte.
type dripping struct {
	rest []byte
	next time.Duration
}

// slowly begins to send a frame byte by byte, if that is what this client does. One that
// will be too slow has said its last word to the server then: it is mute.
func (l *loop) slowly(i uint32, c *client, attempt uint32, b []byte) bool {
	cfg := &l.swarm.cfg
	pinging := c.ready()
	if attempt != c.attempt || pinging != cfg.TricklePings {
		return false
	}
	if d, waiting := l.drips[i]; waiting {
		d.rest = append(d.rest, b...)
		l.drips[i] = d
		return true
	}
	l.drips[i] = dripping{rest: append([]byte(nil), b...), next: l.now}
	if cfg.TooSlow {
		due := c.last.start + cfg.Deadline // of HELLO, from the connect
		if pinging {
			due = min(l.now+cfg.Deadline, c.last.start+c.last.timeout())
		}
		c.flags |= flagMute
		c.last = lastWrite{start: due}
		l.counted.Muted++
	}
	return true
}

// drip sends the next byte of client i's frame when it is due, and says when to go on.
func (l *loop) drip(i uint32, c *client) time.Duration {
	d, dripping := l.drips[i]
	if !dripping {
		return link.Never
	}
	if c.attempt == 0 { // the connection is over
		delete(l.drips, i)
		return link.Never
	}
	if d.next > l.now {
		return d.next
	}
	l.wasLate(d.next)
	n, _, err := epoll.Write(int(c.fd), d.rest[:1])
	d.rest, d.next = d.rest[n:], d.next+l.swarm.cfg.TrickleInterval
	if err != nil || len(d.rest) == 0 { // what a failed write means, the read tells
		delete(l.drips, i)
		if err == nil && !c.flags.has(flagMute) {
			if !l.trickled[i] {
				l.trickled[i] = true
				l.counted.Trickled++
			}
			c.last.wrote(l.now, l.swarm.Now(), c.link.Info().Terms.Timeout, 0)
			if c.ready() {
				l.wroteAt = l.now
				l.ask(i, c, l.now)
			}
		}
		return link.Never
	}
	l.drips[i] = d
	return d.next
}
