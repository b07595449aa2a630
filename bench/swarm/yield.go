package swarm

import "time"

// Adaptive is the profile of a ramp that brings a crowd in as fast as the load test can without being late: linear at the
// rate that was asked for, and slower while the load test itself is late. What it yields to is its own lateness alone, never how
// long a server takes to answer; and only arrivals that are not due yet are put off. One that was due counts as late.
const Adaptive = "adaptive"

const (
	// A ramp slows down between a lateness that is easy to bear and one that is not, as the mean of some tenths
	// of a second: where lateness comes in bursts, a p99 of 20 ms, up to which a run is valid, has a mean of little more.
	easyLateness = 2 * time.Millisecond
	mostLateness = 3500 * time.Microsecond
	// mostStretched is how much longer a ramp may become, so that it ends; slowest is that as a speed.
	mostStretched = 10
	slowest       = 1 / float64(mostStretched)
	// smoothing is what the latest tenth of a second weighs.
	smoothing = 0.3
)

// pace is how fast a loop's adaptive ramp goes, and how far it is behind its plan. Owned by the loop.
type pace struct {
	on     bool
	coming int           // clients that have not arrived yet
	behind time.Duration // by how much what is to come is put off
	at     time.Duration // as of when
	mean   time.Duration // lateness of late, smoothed
	sum    time.Duration // of the lateness of timers since the latest look
	timers int
}

// speed is 1 where the load test is punctual.
func (p *pace) speed() float64 {
	s := float64(mostLateness-p.mean) / float64(mostLateness-easyLateness)
	return min(max(s, slowest), 1)
}

// expect counts one that is to come.
func (p *pace) expect(profile string) {
	if p.on = profile == Adaptive; p.coming == 0 {
		p.behind = 0 // an earlier ramp is over
	}
	p.coming++
}

// arrived counts one that has come, and says by how much it was put off.
func (p *pace) arrived() time.Duration {
	p.coming--
	if !p.on {
		return 0
	}
	return p.behind
}

// pass puts off what is to come, by what the load test was late before now.
func (p *pace) pass(now time.Duration) {
	if p.on && p.coming > 0 {
		p.behind += time.Duration(float64(now-p.at) * (1 - p.speed()))
	}
	p.at = now
}

// late notes how late a timer was.
func (p *pace) late(d time.Duration) { p.sum, p.timers = p.sum+d, p.timers+1 }

// look takes the timers of the latest tenth of a second into account.
func (p *pace) look() {
	if p.timers == 0 {
		return
	}
	latest := p.sum / time.Duration(p.timers)
	p.mean += time.Duration(smoothing * float64(latest-p.mean))
	p.sum, p.timers = 0, 0
}

// putOff says until when an arrival that is due has to wait; not at all: it may come.
func (l *loop) putOff(c *client) (until time.Duration, wait bool) {
	if !l.pace.on {
		return 0, false
	}
	if until = l.onGrid(c.arrival + l.pace.behind); until <= l.now {
		return 0, false
	}
	c.wake, c.due = until, until
	return until, true
}
