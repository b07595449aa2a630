package gate

import "time"

// Stretch says by how much a node that is late should lengthen the terms of its sessions:
// heartbeats that come half as often are half the work, and a client that knows that answers
// are late does not take the node for dead. It doubles, to MaxStretch, four times a second
// while the node is late, and halves after every ten seconds in which it never was. Of a node that
// is very late it is MaxStretch at once: it can answer each client once before that gives it up, and
// who was told of twice as much asks again too soon.
//
// Owned by whoever calls Observe.
type Stretch struct {
	limit   time.Duration // lateness above which it grows
	factor  int
	late    bool          // the last observation was
	since   time.Duration // when the lateness began
	changed time.Duration // when the factor last changed, or might have shrunk but for lateness
}

const (
	// MaxStretch is the longest that terms become, as a multiple of the configured ones.
	MaxStretch = 8

	leastLate   = 250 * time.Millisecond // shorter is a hiccup, whatever the heartbeat
	stretchStep = 250 * time.Millisecond
	calmFor     = 10 * time.Second
)

// NewStretch is for sessions that heartbeat every interval, of a node that looks once a tick.
func NewStretch(interval, tick, now time.Duration) *Stretch {
	return &Stretch{limit: max(min(interval/4, time.Second), 2*tick, leastLate), factor: 1, changed: now}
}

// Observe takes how late the node is, to those who are in or to those who knock, and
// returns the factor, 1 to MaxStretch.
func (s *Stretch) Observe(now, late time.Duration) int {
	if late > s.limit {
		if !s.late {
			s.late, s.since = true, now
		}
		if s.factor == MaxStretch {
			s.changed = now
		} else if now-max(s.since, s.changed) >= stretchStep { // one stall is not enough
			s.factor, s.changed = 2*s.factor, now
			if late >= s.limit*3/2 {
				s.factor = MaxStretch
			}
		}
		return s.factor
	}
	s.late = false
	switch {
	case late > s.limit/2:
		s.changed = now
	case s.factor > 1 && now-s.changed >= calmFor:
		s.factor, s.changed = s.factor/2, now
	}
	return s.factor
}
