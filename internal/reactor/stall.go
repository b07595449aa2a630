package reactor

import (
	"time"
)

// A peer that does not read is noticed by what its kernel takes, whatever it sends: in each
// WriteTimeout that is minProgress, or all there is. Bytes that have left our buffers and lie
// in our kernel are not taken yet, and a small kernel buffer drains in steps; so only when a
// window ends is the kernel asked. It is also asked now and then (look): kernels alone hold many
// heartbeats' worth of answers that nobody reads.

// backlogBytes is how many bytes the peer's kernel has not taken, in user space and in ours.
func (r *Reactor) backlogBytes(slot Slot) int {
	return r.transport.Queued(slot) + r.transport.Unsent(slot)
}

// watch begins a window in which the peer must take some of what is pending, if anything is.
func (r *Reactor) watch(slot Slot) {
	s := r.sessions.at(slot)
	pending := r.backlogBytes(slot)
	if pending == 0 {
		r.unwatch(s)
		return
	}
	s.set(watched)
	x := r.extras.need(s)
	x.owed, x.due = int64(pending), int32(min(pending, minProgress))
	x.writeUntil, x.heard = r.now+r.cfg.WriteTimeout, false
	r.wheel.Pull(slot, x.writeUntil)
}

func (r *Reactor) unwatch(s *Session) {
	if !s.is(watched) {
		return
	}
	s.clear(watched)
	x := r.extras.need(s)
	x.owed, x.due, x.writeUntil, x.heard = 0, 0, 0, false
	r.extras.spare(s)
}

// stalled says whether the peer has taken too little in a window that has ended. If it has
// not, the next window begins.
func (r *Reactor) stalled(slot Slot) bool {
	s := r.sessions.at(slot)
	x := r.extras.of(s)
	if !s.is(watched) || r.now < x.writeUntil {
		return false
	}
	queued := r.transport.Queued(slot)
	pending := queued + r.transport.Unsent(slot)
	if pending == 0 || x.owed-int64(pending) >= int64(x.due) {
		r.watch(slot)
		return false
	}
	// With nothing of it in user space, who is silent too is perhaps only out of reach for a
	// while: that is the heartbeat's matter. But who goes on talking and takes nothing does
	// not read. The first word after a silence may have come before our kernel tried again.
	heard := r.lastHeard(slot) > x.writeUntil-r.cfg.WriteTimeout
	if queued > 0 || s.state != stateReady || heard && x.heard {
		return true
	}
	w := r.extras.need(s)
	w.heard = w.heard || heard
	w.writeUntil = r.now + r.cfg.WriteTimeout
	return false
}

// lastHeard is when the last complete frame of a session was read.
func (r *Reactor) lastHeard(slot Slot) time.Duration {
	return r.wheel.Deadline(slot) - r.wheel.TTL(slot)
}
