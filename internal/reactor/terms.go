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
	if r.terms.Number++; r.terms.Number == 0 {
		r.terms.Number = 1 // zero is what a client says that has applied none
	}
	if r.announcing.on = false; longer {
		r.beginAnnouncing()
	}
}

// followTerms moves a session's deadline to the present terms, which its next PONG tells: at
// once if they are longer, and when the client has applied them if they are shorter. So
// nobody is judged by terms that he could not know.
func (r *Reactor) followTerms(slot Slot, applied uint16) {
	if applied == r.terms.Number || r.terms.Timeout >= r.wheel.TTL(slot) {
		r.wheel.SetTTL(slot, r.terms.Timeout)
		r.sessions.at(slot).terms = uint8(r.terms.Number)
	}
}
