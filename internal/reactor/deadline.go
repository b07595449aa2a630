package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// due looks at a connection whose deadline may have come, and says when to look again.
func (r *Reactor) due(slot Slot) time.Duration {
	s := r.sessions.at(slot)
	expired := r.now >= r.wheel.Deadline(slot)
	why := ReasonNone
	next := timingwheel.Rearm
	switch s.state {
	case stateHandshaking:
		if expired && r.excuse(slot) {
			next = r.now + r.cfg.Tick
		} else if expired {
			why = ReasonHelloTimeout
		}
	case stateAuthenticating:
		if expired {
			why = r.overworked(slot)
		}
	case stateLingering:
		next = r.dueLingering(slot, expired)
	case stateReady:
		if next, why = r.dueReady(slot, expired); s.is(superseded) {
			next, why = r.dueSuperseded(slot, next, why)
		}
	}
	switch why {
	case ReasonNone:
	case ReasonHeartbeatTimeout, ReasonWriteStall, ReasonQueueBudget:
		r.sendAway(slot, why, reset)
	default:
		r.sendAway(slot, why, r.partingFor(slot, why))
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

// dueReady checks the deadlines of a session: unfinished frame, heartbeat, token, backlog,
// and what the peer's kernel takes.
func (r *Reactor) dueReady(slot Slot, expired bool) (next time.Duration, why Reason) {
	s := r.sessions.at(slot)
	next = timingwheel.Rearm
	if r.extras.of(s).partUntil != 0 {
		var granted time.Duration
		if next, granted, why = r.duePartial(slot); why != ReasonNone || granted == 0 {
			return next, why
		}
		expired = expired && r.now >= granted
	}
	if expired {
		if r.excuse(slot) {
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

// duePartial checks the deadline of an unfinished frame. granted is until when the frame
// postpones the heartbeat; 0 if bytes of it wait unread, and it is to be looked at again first.
//
// A large frame that progresses is not idle: its own deadline rules. That is for its length at
// the least rate at most.
func (r *Reactor) duePartial(slot Slot) (next, granted time.Duration, why Reason) {
	x := r.extras.of(r.sessions.at(slot))
	gained := int32(r.transport.Held(slot)) - x.partial
	progressed := gained >= minProgress
	if r.now >= x.partUntil {
		if !progressed && r.excuse(slot) {
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
func (r *Reactor) granted(until time.Duration, gained int32) time.Duration {
	earned := r.cfg.PartialTimeout / minProgress * time.Duration(min(gained, minProgress))
	return until - r.cfg.PartialTimeout + earned
}

// excuse says whether a deadline of the peer's must wait a tick: bytes that reached the
// kernel are read before anybody is charged. Twice in a row at most, unless the loop is late.
func (r *Reactor) excuse(slot Slot) bool {
	s := r.sessions.at(slot)
	// A loop that is late has not come to these bytes yet, and will.
	if s.excused() == maxExcuses && !r.late || r.transport.Unread(slot) == 0 {
		return false
	}
	s.setExcused(min(s.excused()+1, maxExcuses))
	r.counters.Averted++
	return true
}

// dueLingering finishes the write side once the notice has left, and ends the connection of
// a peer that does not close. As long as it reads what it was sent as a session, it may.
func (r *Reactor) dueLingering(slot Slot, expired bool) time.Duration {
	s := r.sessions.at(slot)
	if s.is(backlogged) {
		if queued := r.transport.Queued(slot); queued > 0 {
			r.backlog(s, queued)
		} else {
			r.noBacklog(s)
			r.transport.FinishWrite(slot)
			r.wheel.Touch(slot) // it has as long to close as any
			expired = false
		}
	}
	switch {
	case r.stalled(slot), r.overBudget(r.keeps(s)):
		r.cutLinger(slot)
		return timingwheel.Done
	case s.is(backlogged):
		return r.now + r.cfg.Tick
	case !expired:
		return timingwheel.Rearm
	case s.is(watched) && r.transport.Unsent(slot) > 0:
		return min(r.extras.of(s).writeUntil, r.now+lingerTime)
	}
	if s.name == 0 || r.transport.Unsent(slot) > 0 {
		r.cutLinger(slot)
		return timingwheel.Done
	}
	r.counters.LingerCut++
	r.transport.Close(slot) // all has arrived, and its application may still be at it
	return timingwheel.Done
}

// watchPartial keeps the deadline of an unfinished frame: left bytes of it are here, and
// fresh says that it began in this call, since an earlier one ended.
func (r *Reactor) watchPartial(slot Slot, left int, fresh bool) {
	s := r.sessions.at(slot)
	switch {
	case s.state != stateReady:
	case left == 0:
		if s.extra != 0 {
			x := r.extras.need(s)
			x.progressed, x.partial, x.partUntil = false, 0, 0
			x.seen, x.quietAt = 0, 0
			r.extras.spare(s)
		}
	case fresh || r.extras.of(s).partUntil == 0:
		x := r.extras.need(s)
		x.progressed = false
		x.partial = 0
		x.partUntil = r.now + r.cfg.PartialTimeout
		x.seen, x.quietAt = int32(left), r.now+r.quiet()
		r.wheel.Pull(slot, min(x.partUntil, x.quietAt))
	}
}

// watchBacklog looks after a session whose peer's kernel did not take everything. It returns
// why the session must end, or ReasonNone.
func (r *Reactor) watchBacklog(slot Slot) Reason {
	s := r.sessions.at(slot)
	queued := r.transport.Queued(slot)
	if queued == 0 {
		x := *r.extras.of(s)
		r.noBacklog(s)
		if x.pongDue {
			r.followTerms(slot, 0) // longer ones hold when they are told
			r.pong(slot, x.pongToken)
			r.flush(slot)
		}
		r.tellMissed(slot)
		return ReasonNone
	}
	r.backlog(s, queued)
	return r.tooMuch(queued)
}
