package reactor

import "time"

// setStretch lengthens the terms by factor: a node whose answers are late asks for fewer
// heartbeats, and for patience, before its clients give it up one after the other.
func (r *Reactor) setStretch(factor int32) {
	if factor == r.stretch || factor == 0 {
		return
	}
	longer := factor > r.stretch
	r.stretch = factor
	r.terms.Timeout = min(time.Duration(factor)*r.cfg.Timeout, MaxTimeoutTicks*r.cfg.Tick)
	r.terms.Interval = time.Duration(float64(r.cfg.Heartbeat) * (float64(r.terms.Timeout) / float64(r.cfg.Timeout)))
	r.terms.Patience = 0
	if factor > 1 {
		r.terms.Patience = min(r.terms.Timeout, maxPatience)
	}
	r.nextTerms()
	if r.announcing.on = false; longer || r.tuning.untold {
		r.beginAnnouncing()
	}
}

// nextTerms gives the terms another number.
func (r *Reactor) nextTerms() {
	if r.terms.Number++; r.terms.Number == 0 {
		r.terms.Number = 1 // zero is what a client says that has applied none
	}
	if r.terms.Number-r.tuning.number >= mostNumbers {
		r.allFollow()
	}
}

// A session's deadline moves to the present terms at once when it is told longer ones, and when its
// client has applied them if they are shorter. So nobody is judged by terms that he could not know.

// hasApplied takes what a PING says of the terms that its client has applied.
func (r *Reactor) hasApplied(slot Slot, applied uint16) {
	if applied == r.terms.Number {
		r.wheel.SetTTL(slot, r.terms.Timeout)
		r.follow(r.sessions.at(slot))
	}
}

// isTold is called for a session that does not follow the present terms, and is about to be told.
func (r *Reactor) isTold(slot Slot) {
	if r.terms.Timeout < r.wheel.TTL(slot) {
		return
	}
	r.wheel.SetTTL(slot, r.terms.Timeout)
	if s := r.sessions.at(slot); r.tuning.former == r.usual || !r.isBehind(s) || r.ownBounds(s) != nil {
		r.follow(s)
	}
}
