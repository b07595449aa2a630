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
	case ReasonHeartbeatTimeout, ReasonWriteStall, ReasonSlowConsumer, ReasonQueueBudget:
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

// visitReady checks the deadlines of a session: unfinished frame, heartbeat, backlog.
func (r *reactor) visitReady(slot timingwheel.ID, expired bool) (next time.Duration, why Reason) {
	s := r.sessions.at(slot)
	next = timingwheel.Rearm
	x := r.extras.of(s)
	if x.partUntil != 0 {
		progressed := int32(r.transport.Held(slot))-x.partial >= minProgress
		if r.now >= x.partUntil {
			if !progressed && r.postpone(slot) {
				return r.now + r.cfg.Tick, ReasonNone
			}
			if !progressed {
				return 0, ReasonPartialTimeout
			}
			x.progressed = true
			x.partial = int32(r.transport.Held(slot))
			x.partUntil = r.now + r.cfg.PartialTimeout
		}
		next = x.partUntil
		if progressed || x.progressed {
			expired = false // a large frame that progresses is not idle: its own deadline rules
		} else if !expired {
			next = min(next, r.wheel.Deadline(slot))
		}
	}
	if expired {
		if r.postpone(slot) {
			return r.now + r.cfg.Tick, ReasonNone
		}
		return 0, ReasonHeartbeatTimeout
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
		if s.is(backlogged) {
			next = r.now + r.cfg.Tick
		}
	}
	return next, ReasonNone
}

// postpone says whether a deadline of the peer's must wait a tick: bytes that reached the
// kernel are read before anybody is charged. Twice in a row at most, unless the loop is late.
func (r *reactor) postpone(slot timingwheel.ID) bool {
	s := r.sessions.at(slot)
	// A loop that is late has not come to these bytes yet, and will.
	if s.postponed == maxPostponed && !r.late || r.transport.Unread(slot) == 0 {
		return false
	}
	s.postponed = min(s.postponed+1, maxPostponed)
	r.counters.Averted++
	return true
}

// visitLingering finishes the write side once the notice has left, and cuts a peer that
// does not close.
func (r *reactor) visitLingering(slot timingwheel.ID, expired bool) time.Duration {
	s := r.sessions.at(slot)
	if expired {
		r.counters.LingerCut++
		r.transport.Abort(slot)
		return timingwheel.Done
	}
	if s.is(backlogged) {
		if r.transport.Queued(slot) > 0 {
			return r.now + r.cfg.Tick
		}
		r.untrack(s)
		r.transport.FinishWrite(slot)
	}
	return timingwheel.Rearm
}
