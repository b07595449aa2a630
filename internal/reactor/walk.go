package reactor

// Some things are to be done with everybody on a loop: to say that the node stops, that it is
// time to move, that terms are longer; to look who keeps too much. A loop has thousands of
// sessions and a turn a millisecond, so each is a pass that goes on in the next turn.

// pass is how far a walk has come. Slots that are taken behind it are not its matter.
type pass struct{ next Slot }

// walked is how a walk ended for now.
type walked uint8

const (
	halfway walked = iota // the turn is over
	paused                // its visit did not want the next slot yet
	ended
)

// walkStep is after how many slots the clock is asked.
const walkStep = 64

// walk goes on with a pass until the turn is over, or visit does not take a slot. It
// makes a step at least: a busy loop must get on, too.
func (r *Reactor) walk(p *pass, stop func() bool, visit func(Slot) (taken bool)) walked {
	for slots := Slot(len(r.sessions) * sessionChunk); p.next < slots; {
		if !visit(p.next) {
			return paused
		}
		if p.next++; p.next%walkStep == 0 && stop() {
			return halfway
		}
	}
	return ended
}

// stop tells all that the node stops, and reports whether more are left.
func (r *Reactor) stop(stop func() bool) (more bool) {
	if r.allTold {
		return false
	}
	r.allTold = r.walk(&r.stopping, stop, r.tellShutdown) == ended
	return !r.allTold
}

func (r *Reactor) tellShutdown(slot Slot) bool {
	switch r.sessions.at(slot).state {
	case stateHandshaking, stateAuthenticating, stateReady:
		r.sendAway(slot, ReasonShutdown, linger)
	}
	return true
}
