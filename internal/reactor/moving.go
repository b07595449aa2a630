package reactor

import "github.com/stormwheel/stormwheel/codec"

// movers is the set of slots whose sessions were told to move. It is empty, and takes no
// memory, until the node drains.
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

// tellToMove asks a session to move, unless the pace does not allow it now. The session stays
// what it is: its frames are handled, its heartbeats answered and missed, messages go out to it,
// until it says BYE. So nothing that is queued for it is lost, and what it sends until then is
// not either.
func (r *Reactor) tellToMove(slot Slot) (taken bool) {
	if r.counters.Draining == r.counters.Sessions {
		return false // everybody has been told
	}
	if r.sessions.at(slot).state != stateReady || r.movers.has(slot) {
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
	if !r.movers.has(slot) {
		return
	}
	r.movers.drop(slot)
	r.counters.Draining--
	if why == ReasonBye {
		r.counters.Moved++
	}
}
