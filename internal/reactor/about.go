package reactor

import (
	"net/netip"
	"time"
)

// What a loop tells of one of its sessions. On the loop.

// RemoteAddr is where the peer is.
func (r *Reactor) RemoteAddr(slot Slot) netip.Addr { return r.transport.RemoteAddr(slot) }

// Quiet is how long ago the last complete frame was read, to a tick, in logical time.
func (r *Reactor) Quiet(slot Slot) time.Duration {
	return max(0, r.now-(r.wheel.Deadline(slot)-r.wheel.TTL(slot)-r.cfg.Tick))
}

// QueuedBytes is how many bytes wait in user space, those of the present callback included.
func (r *Reactor) QueuedBytes(slot Slot) int {
	if r.sessions.at(slot).is(gone) {
		return 0
	}
	return r.transport.Queued(slot) + len(r.out)
}

// ToldToMove says that a drain, or Move, has told the session to go.
func (r *Reactor) ToldToMove(slot Slot) bool { return r.movers.has(slot) || r.invited.has(slot) }
