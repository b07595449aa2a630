package server

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// maxPostponed is how often in a row an eviction waits for bytes that the kernel holds.
const maxPostponed = 2

// visit looks at a connection whose deadline may have come, and says when to look again.
func (r *reactor) visit(slot timingwheel.ID) time.Duration {
	s := r.sessions.at(slot)
	expired := r.now >= r.wheel.Deadline(slot)
	why := ReasonNone
	next := timingwheel.Rearm
	switch s.state {
	case stateHandshaking:
		if expired && r.postpone(slot) {
			next = r.now + r.cfg.Tick
		} else if expired {
			why = ReasonHelloTimeout
		}
	case stateAuthenticating:
		if expired {
			why = r.overworked(slot)
		}
	case stateLingering:
		next = r.visitLingering(slot, expired)
	case stateReady:
		next, why = r.visitReady(slot, expired)
	}
	switch why {
	case ReasonNone:
	case ReasonHeartbeatTimeout, ReasonWriteStall, ReasonQueueBudget:
		r.cut(slot, why)
	default:
		r.farewell(slot, why)
		next = timingwheel.Rearm
		if s.is(backlogged) {
			next = r.now + r.cfg.Tick
		}
	}
	if s.state == stateFree {
		return timingwheel.Done
	}
	return next
}

// visitReady checks the deadlines of a session: unfinished frame, heartbeat, token, backlog,
// and what the peer's kernel takes.
func (r *reactor) visitReady(slot timingwheel.ID, expired bool) (next time.Duration, why Reason) {
	s := r.sessions.at(slot)
	next = timingwheel.Rearm
	if r.extras.of(s).partUntil != 0 {
		var granted time.Duration
		if next, granted, why = r.visitPartial(slot); why != ReasonNone || granted == 0 {
			return next, why
		}
		expired = expired && r.now >= granted
	}
	if expired {
		if r.postpone(slot) {
			return r.now + r.cfg.Tick, ReasonNone
		}
		return 0, ReasonHeartbeatTimeout
	}
	r.speakUp(slot)
	if s.state != stateReady {
		return 0, ReasonNone
	}
	x := r.extras.of(s)
	if x.quietAt != 0 {
		next = min(next, x.quietAt)
	}
	if x.expires != 0 {
		left := x.expires - r.clock.real // a stall gives nobody more time than his token has
		if left <= 0 {
			r.notice.Window = r.terms.Window // many tokens may end at once
			return 0, ReasonTokenExpired
		}
		if next == timingwheel.Rearm {
			next = r.wheel.Deadline(slot)
		}
		next = min(next, r.now+left)
	}
	if s.is(backlogged) {
		if why = r.watchBacklog(slot); why != ReasonNone {
			return 0, why
		}
		if s.state != stateReady {
			return 0, ReasonNone // a PONG that waited was too much
		}
		if s.is(backlogged) {
			next = r.now + r.cfg.Tick
		}
	}
	if !s.is(watched) {
		r.watch(slot)
	} else if r.stalled(slot) {
		return 0, ReasonWriteStall
	}
	if s.is(watched) {
		if next == timingwheel.Rearm {
			next = r.wheel.Deadline(slot)
		}
		next = min(next, r.extras.of(s).writeUntil)
	}
	return next, ReasonNone
}

// visitPartial checks the deadline of an unfinished frame. granted is until when the frame
// postpones the heartbeat; 0 if bytes of it wait unread, and it is to be looked at again first.
//
// A large frame that progresses is not idle: its own deadline rules. That is for its length at
// the least rate at most.
func (r *reactor) visitPartial(slot timingwheel.ID) (next, granted time.Duration, why Reason) {
	x := r.extras.of(r.sessions.at(slot))
	gained := int32(r.transport.Held(slot)) - x.partial
	progressed := gained >= minProgress
	if r.now >= x.partUntil {
		if !progressed && r.postpone(slot) {
			return r.now + r.cfg.Tick, 0, ReasonNone
		}
		if !progressed {
			return 0, 0, ReasonPartialTimeout
		}
		x.progressed = true
		x.partial = int32(r.transport.Held(slot))
		x.partUntil = r.now + r.cfg.PartialTimeout
	}
	granted = x.partUntil
	if !progressed && !x.progressed {
		granted = r.granted(x.partUntil, gained)
	}
	return min(x.partUntil, max(granted, r.wheel.Deadline(slot))), granted, ReasonNone
}

// granted is until when a frame may postpone the heartbeat in its first window, which ends at
// until: as long as the bytes that have come take at the least rate.
func (r *reactor) granted(until time.Duration, gained int32) time.Duration {
	earned := r.cfg.PartialTimeout / minProgress * time.Duration(min(gained, minProgress))
	return until - r.cfg.PartialTimeout + earned
}

// postpone says whether a deadline of the peer's must wait a tick: bytes that reached the
// kernel are read before anybody is charged. Twice in a row at most, unless the loop is late.
func (r *reactor) postpone(slot timingwheel.ID) bool {
	s := r.sessions.at(slot)
	// A loop that is late has not come to these bytes yet, and will.
	if s.postponed() == maxPostponed && !r.late || r.transport.Unread(slot) == 0 {
		return false
	}
	s.setPostponed(min(s.postponed()+1, maxPostponed))
	r.counters.Averted++
	return true
}

// visitLingering finishes the write side once the notice has left, and ends the connection of
// a peer that does not close. As long as it reads what it was sent as a session, it may.
func (r *reactor) visitLingering(slot timingwheel.ID, expired bool) time.Duration {
	s := r.sessions.at(slot)
	if s.is(backlogged) {
		if queued := r.transport.Queued(slot); queued > 0 {
			r.track(s, queued)
		} else {
			r.untrack(s)
			r.transport.FinishWrite(slot)
			r.wheel.Touch(slot) // it has as long to close as any
			expired = false
		}
	}
	switch {
	case r.stalled(slot), r.overBudget(r.keeps(s)):
		r.counters.LingerCut++
		r.transport.Abort(slot)
		return timingwheel.Done
	case s.is(backlogged):
		return r.now + r.cfg.Tick
	case !expired:
		return timingwheel.Rearm
	case s.is(watched) && r.transport.Unsent(slot) > 0:
		return min(r.extras.of(s).writeUntil, r.now+lingerTime)
	}
	r.counters.LingerCut++
	if s.name != 0 && r.transport.Unsent(slot) == 0 { // all has arrived, and its application may still be at it
		r.transport.Close(slot)
	} else {
		r.transport.Abort(slot)
	}
	return timingwheel.Done
}
