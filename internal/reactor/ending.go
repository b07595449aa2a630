package reactor

import (
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// The end of a connection. It is told why, where that can be (sendAway); it is counted once,
// and the application is told (markGone); and when the transport has closed it, its slot is
// free (Closed). Nothing else ends a connection.

// parting is how a connection is ended.
type parting uint8

const (
	linger parting = iota // its peer has time to read why
	atOnce                // its descriptor is needed
	reset                 // its peer does not read, or is dead
)

// sendAway ends a connection. A reason without a code is the peer's own: it has said BYE, or
// has gone, and is told nothing.
//
// Who lingers has its write side ended first, and its input is discarded for a while until the
// peer has closed: to close at once could lose the notice, since a close with unread input is an
// RST, which may overtake it. Only a bounded number may linger so; beyond it the connection is
// closed at once.
//
// A peer that is reset gets one notice if the kernel takes it, then RST, so that nothing of it
// stays behind. A slow consumer perhaps reads on: it gets its notice behind what waits for it.
func (r *Reactor) sendAway(slot Slot, why Reason, how parting) {
	s := r.sessions.at(slot)
	r.writeAck()
	code, goodbye := why.Code(), []byte(nil)
	if why == ReasonKicked {
		code, goodbye = r.kick, r.goodbye
	}
	r.unkick()
	if why == ReasonSlowConsumer {
		how = linger
		if r.transport.Queued(slot)+len(r.out) > r.cfg.MaxQueued {
			r.discardOut() // this is what was too much
		}
	}
	owes := code != 0 && how == linger && s.state == stateReady && (len(r.out) > 0 || r.backlogBytes(slot) > 0)
	r.markGone(slot, why)
	told := code != 0 && (how != reset || !s.is(backlogged))
	switch {
	case told && goodbye != nil:
		r.appendGoAway(goodbye)
	case told:
		r.goAway(code, why)
	}
	r.flush(slot)
	if told && s.state != stateFree {
		r.transport.Farewell(slot, code)
	}
	switch {
	case s.state == stateFree:
	case code == 0:
		r.transport.Close(slot)
	case how == reset:
		r.transport.Abort(slot)
	case how == linger && r.beginLinger(slot, owes):
	default:
		r.counters.LingerCut++
		r.transport.Close(slot) // an RST only if input is unread: most refused peers still get the notice
	}
}

// finish ends a connection for what its frame or the application said, or for another's sake. What was
// posted for a session that is closed so comes before the goodbye.
func (r *Reactor) finish(slot Slot, why Reason) {
	if why == ReasonKicked || why == ReasonReplaced {
		r.runOwn(slot)
		if r.sessions.at(slot).state != stateReady {
			r.unkick() // what was posted has ended it
			return
		}
	}
	r.sendAway(slot, why, linger)
}

// beginLinger has a connection wait for its peer to close, if there is room for that. owes says
// that it is a session which has not taken all yet.
func (r *Reactor) beginLinger(slot Slot, owes bool) bool {
	s := r.sessions.at(slot)
	if owes && !s.is(watched) {
		r.watch(slot)
	}
	if !r.node.Conns.BeginLinger(s.is(backlogged)) {
		return false
	}
	s.state = stateLingering
	r.extras.need(s).lingerLeft = lingerBytes
	r.wheel.SetTTL(slot, lingerTime)
	r.wheel.Touch(slot)
	if !s.is(backlogged) { // else the visit after the next tick tries again
		r.transport.FinishWrite(slot)
	}
	return true
}

// goAway appends a GOAWAY to the output.
func (r *Reactor) goAway(code codec.Code, why Reason) {
	r.writeAck()
	m := r.notice
	r.notice = codec.GoAwayMessage{}
	m.Reason = []byte(why.String()) // as in Stats and logs, so that both sides speak of the same
	m.Code, m.Alternates = code, r.alternates()
	if code == codec.CodeShutdown {
		m.Window = r.terms.Window
	}
	var err error
	if r.out, err = codec.AppendGoAway(r.out, &m); err != nil {
		panic(err) // the node was not made with alternates that it cannot tell
	}
	r.counters.GoAways++
}

// appendGoAway appends one that the application has made.
func (r *Reactor) appendGoAway(frame []byte) {
	r.writeAck()
	r.out = append(r.out, frame...)
	r.counters.GoAways++
}

// unkick forgets the end that the application wanted.
func (r *Reactor) unkick() { r.kick, r.goodbye = 0, nil }

// discard counts the input of a lingering connection; one that goes on talking is cut.
func (r *Reactor) discard(slot Slot, n int) {
	s := r.sessions.at(slot)
	x := r.extras.need(s)
	x.lingerLeft -= int32(min(n, lingerBytes))
	if x.lingerLeft <= 0 {
		r.cutLinger(slot)
	}
}

// cutLinger ends a farewell that has taken too long, or too much.
func (r *Reactor) cutLinger(slot Slot) {
	r.counters.LingerCut++
	r.transport.Abort(slot)
}

// markGone counts the end of a connection, once, and tells the application.
func (r *Reactor) markGone(slot Slot, why Reason) {
	s := r.sessions.at(slot)
	if s.is(gone) {
		return
	}
	s.set(gone)
	r.leavePending(s)
	r.leaveGuest(s)
	if x := r.extras.of(s); x.invited {
		r.node.Seals.Restore(x.ticket)
	}
	if s.is(hadSlot) && s.state == stateHandshaking {
		r.node.Unused.Add(1)
	}
	if s.is(counted) {
		r.node.Addrs.Leave(gate.AddrKey(r.transport.RemoteAddr(slot)))
	}
	r.counters.Closes[why]++
	if s.state == stateReady {
		r.dropKept(s)
		r.counters.Sessions--
		r.unlist(slot)
		r.live.end(slot)
		r.leaveGroups(slot)
		r.forgetMover(slot, why)
		r.leaveSender(slot)
		r.settle(slot, everything, Outcome{Result: Lost, End: why})
		if s.is(opened) {
			r.app.Closed(slot, why)
		}
		r.unkick()
	} else if s.state == stateAuthenticating {
		delete(r.asking, r.Handle(slot))
	}
	r.app.Gone(slot)
}

// Closed frees the slot of a connection that the transport has ended. why is the transport's
// explanation and counts only if the reactor did not end it itself.
func (r *Reactor) Closed(slot Slot, why Reason) {
	s := r.sessions.at(slot)
	if s.state == stateFree {
		return
	}
	r.markGone(slot, why)
	if s.state == stateLingering {
		r.node.Conns.EndLinger()
	}
	r.names.drop(s.name)
	r.noBacklog(s)
	r.hold(slot, 0)
	r.special.drop(r.extras.of(s).bounds)
	r.extras.drop(s)
	switch {
	case s.is(admitted):
		r.node.Conns.Leave()
	case s.is(knocking):
		r.node.Conns.EndKnock()
	}
	*s = Session{}
	r.counters.Conns--
	r.wheel.Remove(slot)
}
