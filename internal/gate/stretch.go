package gate

import "time"

// Stretch says by how much a node that is late should lengthen the terms of its sessions:
// heartbeats that come half as often are half the work, and a client that knows that answers
// are late does not take the node for dead. It doubles, to MaxStretch, while two observations
// in a row are late, and halves after every ten seconds without lateness.
//
// Owned by whoever calls Observe.
type Stretch struct {
	limit  time.Duration // lateness above which it grows
	factor int
	late   bool          // the last observation was
	since  time.Duration // of the last change, or of the last lateness
}

const (
	// MaxStretch is the longest that terms become, as a multiple of the configured ones.
	MaxStretch = 8

	stretchStep = 250 * time.Millisecond
	calmFor     = 10 * time.Second
)

// NewStretch is for sessions that heartbeat every interval, of a node that looks once a tick.
func NewStretch(interval, tick, now time.Duration) *Stretch {
	return &Stretch{limit: max(min(interval/4, time.Second), 2*tick), factor: 1, since: now}
}

// Observe takes how late the node is, to those who are in or to those who knock, and returns the factor, 1 to MaxStretch.
func (s *Stretch) Observe(now, late time.Duration) int {
	was := s.late
	s.late = late > s.limit
	switch {
	case s.late && was && s.factor < MaxStretch && (s.factor == 1 || now-s.since >= stretchStep):
		s.factor *= 2
		s.since = now
	case late > s.limit/2:
		if s.factor == MaxStretch || !s.late {
			s.since = now
		}
	case s.factor > 1 && now-s.since >= calmFor:
		s.factor /= 2
		s.since = now
	}
	return s.factor
}
