package reactor

import "time"

// The first gate: the hard limits, asked when a connection comes. Who is refused is told why.

// Overloaded says that clients wait too long to be let in: who has gone while it waited is not
// worth a slot. The transport asks before Open, and tells Missed of who has.
func (r *Reactor) Overloaded() bool { return r.node.Load.Over() }

// Missed counts a client that had given up, after so long, before it was served.
func (r *Reactor) Missed(waited time.Duration) {
	r.waited = max(r.waited, waited)
	r.counters.Gone++
}

// Open gives a new connection its slot, by which the transport must know it when it calls Enter.
// It is not ok if there is none left. The deadline for HELLO runs from here, and nothing
// extends it.
func (r *Reactor) Open(now time.Duration) (slot Slot, ok bool) {
	r.observe(now)
	slot = r.wheel.Add(r.cfg.HelloTimeout)
	if slot >= maxSlots {
		r.wheel.Remove(slot)
		return 0, false
	}
	r.sessions.grow(slot)
	*r.sessions.at(slot) = Session{state: stateHandshaking, rateSecond: r.second(), place: placeOf(r.index, slot), need: 1}
	r.delivered.forget(slot)
	r.counters.Accepted++
	r.counters.Conns++
	return slot, true
}

// Enter lets a connection that was opened stay, or sends it away. fd is the number of its
// descriptor. crowded says that somebody has to make room, perhaps on another loop.
func (r *Reactor) Enter(slot Slot, fd int) (crowded bool) {
	g := r.node.Conns
	switch {
	case g.Starved(fd):
		r.refuse(slot, ReasonFull, atOnce)
	case r.node.Stopping.Load():
		r.sendAway(slot, ReasonShutdown, linger)
	case r.node.Drain.On() && !r.sessions.at(slot).is(staged): // who has a stage is told at HELLO, since it may only ask
		r.sendAway(slot, r.drainReason(), linger)
	case r.node.Memory.Refuses():
		r.refuse(slot, ReasonMemory, linger)
	case g.Enter():
		r.joinPending(slot, admitted)
	case g.Knock():
		r.joinPending(slot, knocking)
	default:
		r.refuse(slot, ReasonFull, linger)
	}
	if crowded = g.Crowded() && r.sessions.at(slot).is(pending); crowded {
		r.app.Refused(ReasonPending)
	}
	return crowded
}

// refuse sends a connection away that the gate has no room for.
func (r *Reactor) refuse(slot Slot, why Reason, how parting) {
	r.counters.Refused++
	r.sendAway(slot, why, how)
	r.app.Refused(why)
}

// drainReason is why a node that drains lets nobody in.
func (r *Reactor) drainReason() Reason {
	if len(r.alternates()) == 0 {
		return ReasonShutdown // come back later, over the window
	}
	return ReasonDraining
}
