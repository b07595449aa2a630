package server

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// Longer terms are told unasked: whoever would learn them from the answer to his next PING may
// wait for that answer no longer than he is used to, and those who came together ask together.
// It is paced over a quarter of an interval, and spares a late node most of the heartbeats that
// follow. Shorter terms have time.

// announcement is how far a loop is with telling its sessions the terms. Owned by the loop.
type announcement struct {
	on        bool
	next      timingwheel.ID
	at        time.Duration // real time of the last turn that told some
	allowance float64       // sessions that may be told now
}

// announceTerms begins to tell all sessions.
func (r *reactor) announceTerms() { r.announcing = announcement{on: true, at: r.clock.real} }

// announceSome goes on, until stop says that the turn is over, and reports whether more may be
// told at once.
func (r *reactor) announceSome(stop func() bool) (more bool) {
	a := &r.announcing
	if !a.on {
		return false
	}
	share := float64(r.clock.real-a.at) / float64(r.cfg.Heartbeat/4)
	a.at = r.clock.real
	a.allowance += share * float64(r.counters.Sessions)
	slots := timingwheel.ID(len(r.sessions) * sessionChunk)
	for ; a.next < slots; a.next++ {
		if a.allowance < 1 {
			return false
		}
		if r.tellTerms(a.next) {
			a.allowance--
		}
		if a.next%64 == 63 && stop() {
			a.next++
			return true
		}
	}
	a.on = false
	return false
}

// tellTerms tells a session that does not know them yet. One with a backlog learns them with
// the PONG that waits behind it.
func (r *reactor) tellTerms(slot timingwheel.ID) (told bool) {
	s := r.sessions.at(slot)
	if s.state != stateReady || s.is(backlogged) || s.terms == uint8(r.terms.Number) {
		return false
	}
	r.followTerms(slot, 0) // longer ones hold when they are told
	r.pong(slot, 0)
	r.flush(slot)
	return true
}
