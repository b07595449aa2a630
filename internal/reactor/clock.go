package reactor

import "time"

// clock turns real time into the logical time that deadlines are measured in. Logical
// time never advances by more than maxGap between two observations: what a stalled
// server did not see, it charges to nobody. Owned by the loop.
//
// Both times count from the server's start and are monotonic.
type clock struct {
	real   time.Duration // at the last observation
	held   time.Duration // real time that was never charged; only grows
	maxGap time.Duration

	stall    time.Duration // length of the last stall; several in quick succession are one
	stallEnd time.Duration // real
}

// newClock starts a clock at real time now.
func newClock(now, timeout, tick time.Duration) clock {
	return clock{real: now, maxGap: min(max(timeout/8, 2*tick), max(time.Second, 2*tick))}
}

// observe moves the clock to real time now and returns the logical time.
func (c *clock) observe(now time.Duration) time.Duration {
	if gap := now - c.real; gap > c.maxGap {
		c.held += gap - c.maxGap
		if c.real-c.stallEnd > c.stall {
			c.stall = 0
		}
		c.stall += gap
		c.stallEnd = now
	}
	c.real = max(c.real, now)
	return c.real - c.held
}
