package reactor

import "time"

// shedding is how far a loop is with closing the connections that memory can do without.
// Owned by the loop.
type shedding struct {
	pass
	round  uint64 // of the node's memory, the last that was begun
	on     bool
	memory bool          // it is for want of memory, not of budget
	above  int           // for want of memory, who keeps more must go
	swept  time.Duration // when the last sweep for want of budget began
	begun  bool
}

// beginShedding says whether there is something to shed.
func (r *Reactor) beginShedding() bool {
	d := &r.shedding
	if round := r.node.Memory.Rounds(); round != d.round {
		d.round, d.pass, d.on, d.memory = round, pass{}, true, true
		most := r.cfg.SoftQueued
		if most < 0 {
			most = r.cfg.MaxQueued
		}
		d.above = r.node.Memory.Above(most)
	}
	if !d.on && r.node.Budget.Tight() && (!d.begun || r.clock.real-d.swept >= sweepEvery) {
		d.pass, d.on, d.memory = pass{}, true, false
		d.swept, d.begun = r.clock.real, true
	}
	return d.on
}

// shed closes the connections that memory can do without: those that are not in yet, and
// those that keep most, queued or half sent: each round for want of memory closes a quarter as
// large ones as the one before. When only the budget is tight it closes those that are over
// their share. It reports whether more are left.
func (r *Reactor) shed(stop func() bool) (more bool) {
	if !r.beginShedding() {
		return false
	}
	r.shedding.on = r.walk(&r.shedding.pass, stop, r.shedOne) != ended
	return r.shedding.on
}

func (r *Reactor) shedOne(slot Slot) bool {
	s := r.sessions.at(slot)
	if s.state == stateFree {
		return true
	}
	// With nothing left everybody is over his share, but who keeps less than most is not to blame.
	keeps := r.keeps(s)
	why, tooMuch := ReasonQueueBudget, r.overBudget(keeps) && int64(keeps) > r.node.Budget.Queued()/max(r.node.Conns.Open(), 1)
	if r.shedding.memory {
		why, tooMuch = ReasonMemory, keeps > r.shedding.above
	}
	switch {
	case r.shedding.memory && (s.state == stateHandshaking || s.state == stateAuthenticating):
		r.sendAway(slot, why, linger)
	case !tooMuch:
	case s.state == stateLingering:
		r.cutLinger(slot)
	default:
		r.sendAway(slot, why, reset)
	}
	return true
}
