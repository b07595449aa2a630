package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// A session of which a later attempt of the same process was welcomed is superseded. Its connection
// stays for a while, for what is on its way: ACKs, DELIVERs that were written or posted before, BYE. Its
// SENDs are not handled any more: the client sends them again over the new one, and each shall be
// in one place.

// retire begins the end of a session that is superseded. placeless says that its place among the
// connections went to its heir; it then stays only if a farewell may. So it is where places are scarce:
// thousands that lost their network at once are back within two seconds, and each would have two places.
func (r *Reactor) retire(slot Slot, placeless bool) {
	s := r.sessions.at(slot)
	if s.is(admitted) && r.node.Conns.Scarce() {
		s.clear(admitted)
		r.node.Conns.Leave()
		placeless = true
	}
	if placeless && !r.extras.of(s).guest { // else it is one already
		if !r.node.Conns.BeginLinger(false) {
			r.sendAway(slot, ReasonSuperseded, reset)
			return
		}
		r.extras.need(s).guest = true
	}
	if s.is(superseded) {
		return
	}
	s.set(superseded)
	r.dropKept(s)
	r.live.end(slot)
	r.leaveGroups(slot)
	until := r.now + supersededTime
	r.extras.need(s).leaveUntil = until
	r.wheel.Pull(slot, until)
}

// dueSuperseded is what becomes of a superseded session of which dueReady said when to look again, or
// why it ends.
func (r *Reactor) dueSuperseded(slot Slot, next time.Duration, why Reason) (time.Duration, Reason) {
	s := r.sessions.at(slot)
	until := r.extras.of(s).leaveUntil
	switch {
	case why != ReasonNone || s.state != stateReady:
	case r.now >= until:
		why = ReasonSuperseded
	case next == timingwheel.Rearm:
		next = min(until, r.wheel.Deadline(slot))
	default:
		next = min(next, until)
	}
	return next, why
}

// partingFor is how a session ends whose time has come. A superseded one that has said nothing since is
// taken for dead.
func (r *Reactor) partingFor(slot Slot, why Reason) parting {
	if why != ReasonSuperseded {
		return linger
	}
	since := r.extras.of(r.sessions.at(slot)).leaveUntil - supersededTime
	if r.lastHeard(slot) > since+r.cfg.Tick || r.transport.Held(slot) > 0 {
		return linger
	}
	return reset
}

// leaveGuest gives back what let a superseded session stay without a place.
func (r *Reactor) leaveGuest(s *Session) {
	if r.extras.of(s).guest {
		r.extras.need(s).guest = false
		r.node.Conns.EndLinger()
	}
}
