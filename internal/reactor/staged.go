package reactor

import "time"

// What a transport tells that has a stage between the peer's bytes and ours. Receive gets what has
// come out of it; these are for what has not. Sent is for what the stage says by itself.

// Hold is told how many bytes of a connection are here that are not taken, beside those that
// Receive has left: they cost what an unfinished frame costs, and must go on as one must. It comes
// after Receive. The connection may have ended when it returns.
func (r *Reactor) Hold(now time.Duration, slot Slot, size int) {
	r.observe(now)
	s := r.sessions.at(slot)
	if s.state == stateFree {
		return
	}
	r.watchPartial(slot, size, false)
	r.mayHold(slot, size)
}

// Malformed ends a connection whose bytes are not what its stage takes.
func (r *Reactor) Malformed(now time.Duration, slot Slot) {
	r.observe(now)
	switch r.sessions.at(slot).state {
	case stateFree, stateLingering:
	default:
		r.sendAway(slot, ReasonBadPayload, linger)
	}
}
