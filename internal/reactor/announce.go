package reactor

import "time"

// Longer terms, and what has changed beside (tune.go), are told unasked: whoever would learn them from the answer to his next PING may
// wait for that answer no longer than he is used to, and those who came together ask together.
// It is paced over a quarter of an interval, and spares a late node most of the heartbeats that
// follow. Shorter terms have time.

// announcement is how far a loop is with telling its sessions the terms. Owned by the loop.
type announcement struct {
	pass
	on        bool
	at        time.Duration // real time of the last turn that told some
	allowance float64       // sessions that may be told now
}

// beginAnnouncing begins to tell all sessions.
func (r *Reactor) beginAnnouncing() { r.announcing = announcement{on: true, at: r.clock.real} }

// announce goes on, and reports whether more may be told at once.
func (r *Reactor) announce(stop func() bool) (more bool) {
	a := &r.announcing
	if !a.on {
		return false
	}
	share := float64(r.clock.real-a.at) / float64(r.cfg.Heartbeat/4)
	a.at = r.clock.real
	a.allowance += share * float64(r.counters.Sessions)
	how := r.walk(&a.pass, stop, r.tellTerms)
	if a.on = how != ended; !a.on {
		r.wereTold()
	}
	return how == halfway
}

// tellTerms tells a session that does not know them yet, unless it is too early for one more.
// One with a backlog learns them from the PONG behind it.
func (r *Reactor) tellTerms(slot Slot) (taken bool) {
	s := r.sessions.at(slot)
	if s.state != stateReady || s.terms == uint8(r.terms.Number) {
		return true
	}
	if s.is(backlogged) {
		if x := r.extras.need(s); !x.pongDue {
			x.pongDue, x.pongToken = true, 0
		}
		return true
	}
	if r.announcing.allowance < 1 {
		return false
	}
	r.announcing.allowance--
	r.pong(slot, 0)
	r.flush(slot)
	return true
}
