package reactor

import "time"

// What a client is told without having asked: that its bytes arrive, and under which terms. A
// client pings when it has heard nothing for its interval, but behind much that it has sent
// itself on a slow link the answer comes late, and whoever has an answer to everything never
// pings. Only a look of the wheel is made for that, so that a frame costs nothing.

func (r *Reactor) quiet() time.Duration { return min(maxQuiet, r.terms.Interval/4) }

// anotherSecond is called when a session is heard in another second than before. It has the
// session looked at now and then, each at a time of its own, and where nothing answers a steady
// flow of frames.
func (r *Reactor) anotherSecond(s *Session, second uint32) {
	slot := s.place.slot()
	phase := uint32(slot)
	if ((second+phase)^(s.rateSecond+phase))>>r.lookShift != 0 {
		r.wheel.Pull(slot, r.now)
	}
	if steady := second-s.rateSecond <= uint32(maxQuiet/time.Second); steady && !s.is(spoken) {
		r.wheel.Pull(slot, r.now+r.quiet())
	}
	s.clear(spoken)
}

// speakUp is called when a session is looked at: it sends the PONG that is due without a PING.
// The connection may be gone when it returns.
func (r *Reactor) speakUp(slot Slot) {
	s := r.sessions.at(slot)
	if s.is(backlogged) {
		return // there is something on its way
	}
	recent := r.now-r.lastHeard(slot) <= r.quiet()+r.cfg.Tick
	due := recent && !s.is(spoken)
	if x := r.extras.of(s); x.partUntil != 0 {
		due = false
		if r.now >= x.quietAt {
			held := int32(r.transport.Held(slot))
			due = held > x.seen && !s.is(spoken)
			w := r.extras.need(s)
			w.seen, w.quietAt = held, r.now+r.quiet()
			s.clear(spoken)
		}
	} else if recent && !s.is(ponged) {
		due = true
	} else {
		s.clear(ponged)
	}
	if !due {
		return
	}
	r.pong(slot, 0)
	r.flush(slot)
	s.clear(spoken | ponged)
}
