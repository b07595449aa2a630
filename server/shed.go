package server

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// shedding is how far a loop is with closing the connections that memory can do without.
// Owned by the loop.
type shedding struct {
	round  uint64 // of memory.rounds, the last that was begun
	next   timingwheel.ID
	on     bool
	memory bool          // it is for want of memory, not of budget
	above  int           // for want of memory, who keeps more must go
	swept  time.Duration // when the last sweep for want of budget began
	begun  bool
}

// sweepEvery is how often a loop looks for those who keep too much when the budget is tight.
const sweepEvery = 250 * time.Millisecond

// beginShedding says whether there is something to shed.
func (r *reactor) beginShedding() bool {
	d := &r.shed
	if round := r.node.Memory.Rounds(); round != d.round {
		d.round, d.next, d.on, d.memory = round, 0, true, true
		first := r.cfg.SoftQueued
		if first < 0 {
			first = r.cfg.MaxQueued
		}
		d.above = r.node.Memory.Above(first)
	}
	if !d.on && r.node.Budget.Tight() && (!d.begun || r.clock.real-d.swept >= sweepEvery) {
		d.next, d.on, d.memory = 0, true, false
		d.swept, d.begun = r.clock.real, true
	}
	return d.on
}

// shedSome closes the connections that memory can do without: those that are not in yet, and
// those that keep most, queued or half sent: each round for want of memory closes a quarter as
// large ones as the one before. When only the budget is tight it closes those that are over
// their share. It goes through the slots once a round, until stop says that the turn is over,
// and reports whether more are left.
func (r *reactor) shedSome(stop func() bool) (more bool) {
	if !r.beginShedding() {
		return false
	}
	d := &r.shed
	slots := timingwheel.ID(len(r.sessions) * sessionChunk)
	for ; d.next < slots; d.next++ {
		r.shedOne(d.next)
		if d.next%64 == 63 && stop() { // only now: a busy loop must get on, too
			d.next++
			return true
		}
	}
	d.on = false
	return false
}

func (r *reactor) shedOne(slot timingwheel.ID) {
	s := r.sessions.at(slot)
	if s.state == stateFree {
		return
	}
	// With nothing left everybody is over his share, but who keeps less than most is not to blame.
	keeps := r.keeps(s)
	why, tooMuch := ReasonQueueBudget, r.overBudget(keeps) && int64(keeps) > r.node.Budget.Queued()/max(r.node.Conns.Open(), 1)
	if r.shed.memory {
		why, tooMuch = ReasonMemory, keeps > r.shed.above
	}
	switch {
	case r.shed.memory && (s.state == stateHandshaking || s.state == stateAuthenticating):
		r.farewell(slot, why)
	case !tooMuch:
	case s.state == stateLingering:
		r.counters.LingerCut++
		r.transport.Abort(slot)
	default:
		r.cut(slot, why)
	}
}
