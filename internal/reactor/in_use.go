package reactor

import "time"

// A login that is refused for another's sake is told how long that one may last: a client that crashed
// would lock itself out otherwise, or come again and again. Only the loop of the session in the way
// knows, so the client waits, as for an authenticator, until that has said it.

// askForEnd has a client wait for the end of the session in its way.
func (r *Reactor) askForEnd(slot Slot, other uint64, expires time.Time) {
	s := r.sessions.at(slot)
	if s.state == stateHandshaking {
		s.state = stateAuthenticating
		r.wheel.SetTTL(slot, r.cfg.AuthTimeout)
		r.wheel.Touch(slot)
	}
	if r.asking == nil {
		r.asking = make(map[uint64]time.Time)
	}
	r.asking[r.Handle(slot)] = expires
	r.forward(Closing{kind: askEnd, handle: other, heir: r.Handle(slot)})
}

// tellHeir answers another loop when a session ends.
func (r *Reactor) tellHeir(c *Closing) {
	answer := Closing{kind: tellEnd, handle: c.heir}
	if slot, ok := r.resolve(c.handle); ok {
		answer.why, answer.delay = ReasonInUse, r.lasts(slot)
	}
	r.forward(answer)
}

// lasts is when a session has ended at the latest of which nothing is heard any more.
func (r *Reactor) lasts(slot Slot) time.Duration {
	left := r.wheel.Deadline(slot) - r.now
	if x := r.extras.of(r.sessions.at(slot)); x.expires != 0 {
		left = min(left, x.expires-r.clock.real)
	}
	return max(left, 0) + 2*r.cfg.Tick // as late as a deadline may be met
}

// hearEnd goes on with a client that waits, if it is still there.
func (r *Reactor) hearEnd(c *Closing) {
	slot, ok := r.find(c.handle)
	expires, asked := r.asking[c.handle]
	if !ok || !asked {
		r.counters.Stale++
		return
	}
	delete(r.asking, c.handle)
	if _, there := r.transport.Waited(slot); !there {
		r.finish(slot, ReasonPeerClosed)
		return
	}
	if c.why == ReasonInUse {
		r.notice.Delay = c.delay
	}
	r.decided(slot, c.why, expires)
}
