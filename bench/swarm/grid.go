package swarm

import (
	"math/bits"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
)

// A process that has little to do costs more by waking than by what it does then. So timers that need
// not be exact run together.

// looseness: while a client waits for an answer its timers may run later by that part of the wait.
// Nearly all of them find that the answer came long ago.
const looseness = 64

// linkDue is when a client's link next wants something done: as soon as it says, but for what may wait
// for others.
func (l *loop) linkDue(c *client) time.Duration {
	due := c.link.Deadline()
	switch {
	case due == link.Never || !c.ready():
		return due
	case c.flags.has(flagAsked):
		return roundUp(due, loose(due-c.asked.wrote))
	}
	return l.onGrid(due)
}

// onGrid is when a PING is due that a link wants to send then: where its time was drawn from a fifth of the
// heartbeat, the grid is as good, and the PING is late only from there on. Each process has a phase of its own.
func (l *loop) onGrid(due time.Duration) time.Duration {
	cfg := &l.swarm.cfg
	if cfg.Grid == 0 {
		return due
	}
	phase := cfg.Grid * time.Duration(cfg.First) / time.Duration(cfg.Of)
	return roundUp(due-phase, cfg.Grid) + phase
}

// loose is the power of two that is at most the looseness of a wait, so that the timers of waits that
// are about as long meet; less than the wheel's tick is none.
func loose(wait time.Duration) time.Duration {
	if wait < looseness*wheelTick {
		return wheelTick
	}
	return wheelTick << (bits.Len64(uint64(wait/looseness/wheelTick)) - 1)
}

// roundUp is the first multiple of step from t on.
func roundUp(t, step time.Duration) time.Duration {
	if over := t % step; over > 0 {
		return t + step - over
	}
	return t - t%step
}
