package swarm

import (
	"time"
)

// regained notes for how long a client was without the session that it had lost, whatever took it: up to the
// WELCOME, or at the end to now.
func (l *loop) regained(c *client) {
	if c.lost != 0 {
		l.away.Record(l.now - c.lost)
		c.lost = 0
	}
}

// outage is what a storm did to one client.
type outage struct {
	at      time.Duration // while out: of the loss; else: of the last return
	hit     bool          // lost a ready session at or after t0, or was told to move it
	out     bool          // is without a session, and not in service again
	moving  bool          // was told to move, and has not
	offline bool          // was out at some time
}

// lose notes the loss of a ready session, or of one that was about to be in service.
func (o *outage) lose(now time.Duration) {
	*o = outage{at: now, hit: true, out: true, offline: true}
}

// moved notes that the session was handed over while it went on.
func (o *outage) moved(now time.Duration) { o.at, o.moving = now, false }

// back notes a return to service and gives the length of the outage that it ends.
func (o *outage) back(now time.Duration) time.Duration {
	length := now - o.at
	*o = outage{at: now, hit: true, offline: true}
	return length
}
