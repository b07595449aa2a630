package reactor

import (
	"bytes"
	"time"
)

// What may change while the node runs comes as another Config. New limits are told like longer
// terms, by a PONG that nobody asked for, and have a number as these do. What is looser holds at
// once. What is tighter holds for a client from the PING that carries the number, or, if it does
// not say so, from one timeout after its kernel took the PONG: until then it is held to the loosest
// of what there was since. So nobody is judged by limits that he could not know. Limits of a
// client's own grant stay.
//
// A change that comes while another is being told waits for that: however often there is one,
// nobody is told more than four times an interval, and all learn the last.

// tuning is how far a loop is with a change. Owned by the loop.
type tuning struct {
	wanted *Config // to be taken over; nil: none

	number     uint16 // of the terms that came with the last change
	open       bool   // somebody may not follow it yet
	untold     bool   // it is being told
	limits     bool   // what those who do not follow may not know
	alternates bool
	former     bounds // what they may send: the loosest since all did; as usual if none is open

	told   time.Duration // when the last change had been told
	lookAt time.Duration // when to look who is behind
	look   pass
	behind bool // this look has found somebody
}

// mostNumbers is how many numbers terms may be ahead of a change that somebody does not follow:
// of these a session keeps the low byte.
const mostNumbers = 100

// Tune has the reactor go by cfg soon: its MaxWindow, rates, UnsettledBytes and Alternates, with all
// else as it was. It is on the loop; cfg is kept, and only read.
func (r *Reactor) Tune(cfg *Config) { r.tuning.wanted = cfg }

// alternates are those for who is sent away: the last, though a change before is still being told, since he must
// hear of a node that is there.
func (r *Reactor) alternates() []byte {
	if r.tuning.wanted != nil {
		return r.tuning.wanted.Alternates
	}
	return r.cfg.Alternates
}

// takeOver begins with a change, unless another is being told.
func (r *Reactor) takeOver() {
	t := &r.tuning
	if t.wanted == nil || r.announcing.on {
		return
	}
	old := r.cfg
	r.cfg, t.wanted = t.wanted, nil
	usual := boundsOfAll(r.cfg)
	limits, alternates := usual != r.usual, !bytes.Equal(r.cfg.Alternates, old.Alternates)
	if !limits && !alternates {
		return
	}
	r.usual, t.former = usual, loosest(t.former, usual)
	t.limits, t.alternates = t.limits || limits, t.alternates || alternates
	r.nextTerms()
	t.number, t.open, t.untold = r.terms.Number, true, true
	r.beginAnnouncing()
}

// wereTold is called when an announcement has been told to all.
func (r *Reactor) wereTold() {
	t := &r.tuning
	t.untold, t.told = false, r.now
	t.lookAt, t.look, t.behind = r.now+r.cfg.Heartbeat, pass{}, false
}

// isBehind says that a session does not follow the last change, where one is open.
func (r *Reactor) isBehind(s *Session) bool { return int8(s.terms-uint8(r.tuning.number)) < 0 }

// lookBehind looks from time to time whether all follow, and reports whether it has more to do.
func (r *Reactor) lookBehind(stop func() bool) (more bool) {
	t := &r.tuning
	if !t.open || r.announcing.on || r.now < t.lookAt {
		return false
	}
	if r.walk(&t.look, stop, r.lookAfter) != ended {
		return true
	}
	if !t.behind {
		r.allFollow()
	}
	t.lookAt, t.look, t.behind = r.now+r.cfg.Heartbeat, pass{}, false
	return false
}

// lookAfter has a session that is behind follow, if its client has long been able to know. One that
// is in the middle of a frame cannot say that it does.
func (r *Reactor) lookAfter(slot Slot) (taken bool) {
	s := r.sessions.at(slot)
	if s.state != stateReady || !r.isBehind(s) {
		return true
	}
	r.tuning.behind = true
	x := r.extras.of(s)
	switch {
	case s.is(backlogged), x.partUntil != 0, r.transport.Unsent(slot) > 0:
	case x.knewAt < r.tuning.told || x.knewAt == 0:
		r.extras.need(s).knewAt = r.now
	case r.now-x.knewAt >= r.wheel.TTL(slot):
		r.follow(s)
	}
	return true
}

// allFollow ends what was for those who did not.
func (r *Reactor) allFollow() {
	t := &r.tuning
	t.open, t.untold, t.limits, t.alternates = false, false, false, false
	t.former = r.usual
}

// follow holds a session to the present terms and limits. What it has used of a bucket that was
// larger is as large a part of the new one.
func (r *Reactor) follow(s *Session) {
	if r.isBehind(s) {
		s.framesUsed = part(s.framesUsed, r.usual.frames, r.tuning.former.frames)
		s.bytesUsed = part(s.bytesUsed, r.usual.bytes, r.tuning.former.bytes)
	}
	s.terms = uint8(r.terms.Number)
	if s.extra != 0 && r.extras.at(s.extra).knewAt != 0 {
		r.extras.at(s.extra).knewAt = 0
		r.extras.spare(s)
	}
}

func part(used int32, of, before rate) int32 {
	if used <= 0 || of.burst >= before.burst {
		return used
	}
	return int32(float64(used) * (float64(of.burst) / float64(before.burst)))
}

// loosest allows what a or b does.
func loosest(a, b bounds) bounds {
	a.frames = rate{max(a.frames.perSecond, b.frames.perSecond), max(a.frames.burst, b.frames.burst)}
	a.bytes = rate{max(a.bytes.perSecond, b.bytes.perSecond), max(a.bytes.burst, b.bytes.burst)}
	a.maxFrame = max(a.maxFrame, b.maxFrame)
	if a.unsettled > 0 {
		a.unsettled = max(a.unsettled, b.unsettled)
	}
	if b.unsettled == 0 {
		a.unsettled = 0
	}
	return a
}
