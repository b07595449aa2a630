package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// When a client next wants something done, and how late it is done: that is the load test's own
// lateness, which counts from when the time was known.

// visit is the timer of one client. It returns when to look next.
func (l *loop) visit(id timingwheel.ID) time.Duration {
	i := uint32(id)
	c := &l.clients[i]
	drip := time.Duration(link.Never)
	if c.flags.has(flagTrickle) {
		drip = l.drip(i, c)
	}
	switch {
	case c.flags.has(flagMute):
		return drip
	case c.wake > l.now:
		return min(c.wake, drip)
	}
	if !c.flags.has(flagStarted) {
		if until, wait := l.putOff(c); wait {
			return until
		}
	}
	l.visiting = int64(i)
	if !c.flags.has(flagStarted) {
		l.wasLate(max(c.wake, c.known))
		l.start(i, c)
	} else if l.mayLeave(i, c) && l.leave[i] <= l.now {
		l.depart(i, c)
	} else if due := l.linkDue(c); due <= l.now {
		l.wasLate(max(due, c.known))
		l.tellFlow(i, c, &c.socket)
		if next := l.second[i]; next != nil {
			l.tellFlow(i, c, next)
		}
		c.link.Tick(l.now, &l.out)
		l.perform(i, c)
	}
	l.sendDue(i, c)
	l.visiting = -1
	c.wake = l.deadline(i, c)
	l.learn(c, c.wake)
	return c.wake
}

// learn notes a deadline when it changes. One that a late answer brings may be past already:
// before that nobody could have kept it.
func (l *loop) learn(c *client, due time.Duration) {
	if due != c.due {
		c.due, c.known = due, l.now
	}
}

// answeredLate is when a deadline became known that was past by then; 0 if it was not.
func (c *client) answeredLate() time.Duration {
	if c.due < c.known {
		return c.known
	}
	return 0
}

// wasLate notes how long after its due time a timer runs.
func (l *loop) wasLate(due time.Duration) {
	d := l.now - due
	l.late.Record(d)
	l.pace.late(d)
	tally.RecordRecent(l.recent.Late, d)
}

// deadline is when client i next wants something done.
func (l *loop) deadline(i uint32, c *client) time.Duration {
	due := l.linkDue(c)
	if l.senders != nil {
		due = min(due, l.senders[i].at)
	}
	if l.mayLeave(i, c) {
		due = min(due, l.leave[i])
	}
	if c.flags.has(flagTrickle) {
		if d, dripping := l.drips[i]; dripping {
			due = min(due, d.next)
		}
	}
	return due
}

// arm makes sure that the wheel calls no later than the link wants. A call that comes too
// early is cheaper than moving the entry with every frame.
func (l *loop) arm(i uint32, c *client) {
	if int64(i) == l.visiting {
		return // the visit's answer does it
	}
	due := l.deadline(i, c)
	l.learn(c, due)
	if due < c.wake && (!c.flags.has(flagMute) || c.flags.has(flagTrickle)) {
		c.wake = due
		l.wheel.Pull(timingwheel.ID(i), due)
	}
}
