package reactor

import "github.com/stormwheel/stormwheel/codec"

// movers is a set of slots whose sessions were told to move. It takes no memory until one is.
type movers []uint64

func (m movers) has(slot Slot) bool {
	return int(slot/64) < len(m) && m[slot/64]>>(slot%64)&1 != 0
}

func (m *movers) add(slot Slot) {
	for int(slot/64) >= len(*m) {
		*m = append(*m, 0)
	}
	(*m)[slot/64] |= 1 << (slot % 64)
}

func (m movers) drop(slot Slot) { m[slot/64] &^= 1 << (slot % 64) }

// moveOut tells sessions to connect elsewhere, as many as the pace allows, and reports whether
// more may be told now. Sessions may still be added behind it, by an authenticator that took its
// time: it goes round.
func (r *Reactor) moveOut(stop func() bool) (more bool) {
	for range 2 {
		switch r.walk(&r.moving, stop, r.tellToMove) {
		case halfway:
			return true
		case paused:
			return false
		}
		r.moving = pass{}
	}
	return false
}

// Move asks the session of the present callback to move, by the GOAWAY frame that is given. It is a
// session like any other until its client has gone. It returns ErrClosed, or ErrQueue where more than
// MaxQueued would wait.
func (r *Reactor) Move(slot Slot, goAway []byte) error {
	s := r.sessions.at(slot)
	switch {
	case s.is(gone) || s.is(superseded):
		return ErrClosed
	case len(r.out) > 0 && len(r.out)+len(goAway) > r.cfg.MaxQueued:
		return ErrQueue
	}
	r.invited.add(slot)
	r.appendGoAway(goAway)
	return nil
}

// tellToMove asks a session to move, unless the pace does not allow it now. The session stays
// what it is: its frames are handled, its heartbeats answered and missed, messages go out to it,
// until it says BYE. So nothing that is queued for it is lost, and what it sends until then is
// not either.
func (r *Reactor) tellToMove(slot Slot) (taken bool) {
	if r.counters.Draining == r.counters.Sessions {
		return false // everybody has been told
	}
	if s := r.sessions.at(slot); s.state != stateReady || s.is(superseded) || r.movers.has(slot) {
		return true
	}
	if !r.node.Drain.Take(r.clock.real) {
		return false
	}
	r.movers.add(slot)
	r.counters.Draining++
	r.goAway(codec.CodeDraining, ReasonDraining)
	r.flush(slot)
	return true
}

// forgetMover forgets a session that leaves.
func (r *Reactor) forgetMover(slot Slot, why Reason) {
	if !r.ToldToMove(slot) {
		return
	}
	if r.movers.has(slot) {
		r.movers.drop(slot)
		r.counters.Draining--
	}
	if r.invited.has(slot) {
		r.invited.drop(slot)
	}
	if why == ReasonBye {
		r.counters.Moved++
	}
}
