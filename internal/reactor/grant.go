package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A session may have an end: that of its client's grant. The client is told when it is, so that it
// renews the grant before (renew.go), and the application may move it (Extend).

// endAt has a session end at expires, whatever it has been told before; zero: it has no end.
func (r *Reactor) endAt(slot Slot, now, expires time.Time) {
	s := r.sessions.at(slot)
	if expires.IsZero() {
		if s.extra != 0 {
			x := r.extras.need(s)
			x.expires, x.renewal = 0, 0
			r.extras.spare(s)
		}
		return
	}
	left := min(max(0, expires.Sub(now)), longest)
	r.extras.need(s).expires = max(r.clock.real+left, 1)
	r.wheel.Pull(slot, r.now+left)
}

// Extend has a session end at expires: later than before, or earlier; at a time that has passed, at
// once, as its grant does; zero: it has no end any more. The client is told. It returns ErrClosed if
// the session has ended. Like Deliver it writes for the present callback.
func (r *Reactor) Extend(slot Slot, expires time.Time) error {
	if r.sessions.at(slot).is(gone) {
		return ErrClosed
	}
	r.endAt(slot, r.wall(), expires)
	r.tellEnd(slot)
	return nil
}

// tellEnd has the client told when its session ends: now, or with the PONG that waits behind what
// it has not taken.
func (r *Reactor) tellEnd(slot Slot) {
	s := r.sessions.at(slot)
	x := r.extras.need(s)
	x.endUntold = true
	if s.is(backlogged) {
		x.pongDue = true // with the token of the PING that it may owe
		return
	}
	r.followTerms(slot, 0) // longer ones hold when they are told
	r.pong(slot, 0)
}

// endLeft is what a PONG has to tell of the session's end: nothing if it is known.
func (r *Reactor) endLeft(s *Session) time.Duration {
	x := r.extras.of(s)
	if !x.endUntold {
		return 0
	}
	left := r.left(x)
	x.endUntold = false
	r.extras.spare(s)
	return left
}

// left is how long a session may still last.
func (r *Reactor) left(x *extra) time.Duration {
	if x.expires == 0 {
		return codec.NeverExpires
	}
	return max(x.expires-r.clock.real, time.Millisecond)
}
