package server

import (
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// end closes a connection for a reason that a frame or a handler gave.
func (r *reactor) end(slot timingwheel.ID, why Reason) {
	if why == ReasonBye || why == ReasonPeerClosed {
		r.leave(slot, why)
		r.flush(slot)
		if r.sessions.at(slot).state != stateFree {
			r.transport.Close(slot)
		}
		return
	}
	if why == ReasonKicked {
		r.runOwn(slot)
		if r.sessions.at(slot).state != stateReady {
			r.kick = 0 // what was posted has ended it
			return
		}
	}
	r.farewell(slot, why)
}

// farewell tells a peer that still reads why it must go. Closing at once could lose the
// notice: a close with unread input is an RST, which may overtake it. So the write side
// ends first, and input is discarded for a while until the peer has closed. Only a
// bounded number may linger so; beyond it the connection is closed at once.
func (r *reactor) farewell(slot timingwheel.ID, why Reason) {
	s := r.sessions.at(slot)
	code := why.Code()
	if why == ReasonKicked {
		code = r.kick
	}
	r.kick = 0
	if why == ReasonSlowConsumer && r.transport.Queued(slot)+len(r.out) > r.cfg.MaxQueued {
		r.out = r.out[:0] // this is what was too much
	}
	owes := s.state == stateReady && (len(r.out) > 0 || r.pending(slot) > 0)
	r.leave(slot, why)
	r.goAway(code, why)
	r.flush(slot)
	if s.state == stateFree {
		return
	}
	if owes && !s.is(watched) {
		r.watch(slot)
	}
	if !r.node.Conns.BeginLinger(s.is(backlogged)) {
		r.counters.LingerCut++
		r.transport.Close(slot) // an RST only if input is unread: most refused peers still get the notice
		return
	}
	s.state = stateLingering
	r.extras.need(s).lingerLeft = lingerBytes
	r.wheel.SetTTL(slot, lingerTime)
	r.wheel.Touch(slot)
	if s.is(backlogged) {
		return // the visit after the next tick tries again
	}
	r.transport.FinishWrite(slot)
}

// cut ends a connection whose peer does not read or is dead: one notice if the kernel
// takes it, then RST, so that nothing of it stays behind. A slow consumer perhaps reads on: it
// gets its notice behind what waits for it.
func (r *reactor) cut(slot timingwheel.ID, why Reason) {
	if why == ReasonSlowConsumer {
		r.farewell(slot, why)
		return
	}
	s := r.sessions.at(slot)
	r.leave(slot, why)
	if !s.is(backlogged) {
		r.goAway(why.Code(), why)
		r.flush(slot)
	}
	if s.state != stateFree {
		r.transport.Abort(slot)
	}
}

// goAway appends a GOAWAY to the output.
func (r *reactor) goAway(code codec.Code, why Reason) {
	m := r.notice
	r.notice = codec.GoAwayMessage{}
	m.Reason = []byte(why.String()) // as in Stats and logs, so that both sides speak of the same
	m.Code, m.Alternates = code, r.node.Alternates
	if code == codec.CodeShutdown {
		m.Window = r.terms.Window
	}
	var err error
	if r.out, err = codec.AppendGoAway(r.out, &m); err != nil {
		panic(err) // validate has bounded the alternates
	}
	r.counters.GoAways++
}

// discard counts the input of a lingering connection; one that goes on talking is cut.
func (r *reactor) discard(slot timingwheel.ID, n int) {
	s := r.sessions.at(slot)
	x := r.extras.need(s)
	x.lingerLeft -= int32(min(n, lingerBytes))
	if x.lingerLeft <= 0 {
		r.counters.LingerCut++
		r.transport.Abort(slot)
	}
}

// refuse sends a connection away that the gate had no room for.
func (r *reactor) refuse(slot timingwheel.ID, why Reason) {
	r.counters.Refused++
	r.farewell(slot, why)
}

// dismiss is refuse for a connection whose descriptor is needed at once.
func (r *reactor) dismiss(slot timingwheel.ID, why Reason) {
	r.counters.Refused++
	r.leave(slot, why)
	r.goAway(why.Code(), why)
	r.flush(slot)
	if r.sessions.at(slot).state != stateFree {
		r.counters.LingerCut++
		r.transport.Close(slot)
	}
}

// stopSome says farewell to the sessions of a node that stops, until stop says that the
// turn is over. It reports whether more are left.
func (r *reactor) stopSome(stop func() bool) (more bool) {
	slots := timingwheel.ID(len(r.sessions) * sessionChunk)
	for ; r.nextStop < slots; r.nextStop++ {
		switch r.sessions.at(r.nextStop).state {
		case stateHandshaking, stateAuthenticating, stateReady:
			r.farewell(r.nextStop, ReasonShutdown)
		}
		if r.nextStop%64 == 63 && stop() { // only now: a busy loop must get on, too
			r.nextStop++
			return true
		}
	}
	r.allTold = true
	return false
}
