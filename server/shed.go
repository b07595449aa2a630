package server

import "github.com/stormwheel/stormwheel/timingwheel"

// shedSome closes the connections that memory can do without: those that are not in yet,
// and those that have more queued, or half sent, than the soft limit. It goes through the
// slots once a round, until stop says that the turn is over, and reports whether more are
// left.
func (r *reactor) shedSome(stop func() bool) (more bool) {
	if round := r.shared.memory.rounds.Load(); round != r.shedRound {
		r.shedRound, r.nextShed, r.shedding = round, 0, true
	}
	if !r.shedding {
		return false
	}
	slots := timingwheel.ID(len(r.sessions) * sessionChunk)
	for ; r.nextShed < slots; r.nextShed++ {
		switch s := r.sessions.at(r.nextShed); {
		case s.state == stateHandshaking || s.state == stateAuthenticating:
			r.farewell(r.nextShed, ReasonMemory)
		case s.state == stateReady && max(r.waiting(s), r.transport.Held(r.nextShed)) > max(r.cfg.SoftQueued, 0):
			r.cut(r.nextShed, ReasonMemory)
		}
		if r.nextShed%64 == 63 && stop() { // only now: a busy loop must get on, too
			r.nextShed++
			return true
		}
	}
	r.shedding = false
	return false
}
