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

// Extra is told of frames of the stage's own that a connection has sent and that brought nothing:
// they cost it what frames cost. It comes after Receive. The connection may have ended when it
// returns.
func (r *Reactor) Extra(now time.Duration, slot Slot, frames int) {
	r.observe(now)
	s := r.sessions.at(slot)
	if s.state == stateFree || s.state == stateLingering {
		return
	}
	if left, _ := r.allowance(s); int64(frames) > left {
		r.sendAway(slot, ReasonRateLimit, linger)
		return
	}
	r.charge(s, int64(frames), 0)
}

// End ends a connection that its peer has ended in its stage's words, or that the stage has dealt
// with. why has no code.
func (r *Reactor) End(now time.Duration, slot Slot, why Reason) {
	r.observe(now)
	switch r.sessions.at(slot).state {
	case stateFree, stateLingering:
	default:
		r.sendAway(slot, why, linger)
	}
}

// Waits says that a connection waits for its turn with its stage, whose bounds hold for it until Goes: it is not among
// the pending ones, who are to say something.
func (r *Reactor) Waits(slot Slot) { r.leavePending(r.sessions.at(slot)) }

// Goes says that its turn has come. asSlot: that was a slot of the second gate, and at its HELLO it is not asked for another.
func (r *Reactor) Goes(slot Slot, asSlot bool) {
	s := r.sessions.at(slot)
	if s.state != stateHandshaking {
		return
	}
	s.set(turned)
	if asSlot {
		s.set(hadSlot)
	}
	r.joinPending(slot, 0)
}

// Within sets by when, from the accept, a connection must have said HELLO, or what its stage wants
// before that.
func (r *Reactor) Within(slot Slot, timeout time.Duration) {
	if r.sessions.at(slot).state == stateHandshaking {
		r.wheel.SetTTL(slot, timeout)
	}
}
