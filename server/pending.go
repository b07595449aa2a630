package server

import "github.com/stormwheel/stormwheel/timingwheel"

// Connections that are not in yet may take a tenth of the places. When a flood of silent
// ones fills it, refusing the newcomer would let a few hundred a second lock everybody
// out; so the oldest that has not said HELLO goes, since an honest client has its HELLO
// on the way and is through long before its turn to go.

// minPending is how many may be on their way in even on a small node: a tenth of it
// could not take the usual burst.
const minPending = 256

// crowded says whether too many are on their way in.
func (g *connGate) crowded() bool { return g.pending.Load() > g.pendingMax }

// arrive counts a connection as pending until settle.
// Its place is one of the gate's (admitted) or beyond them (knocking).
func (r *reactor) arrive(slot timingwheel.ID, place flags) {
	r.sessions.at(slot).set(place | pending)
	r.shared.gate.pending.Add(1)
	r.arrivals.push(r.handle(slot))
}

// settle takes a connection out of the pending ones: it is in, or on its way out.
func (r *reactor) settle(s *session) {
	if s.is(pending) {
		s.clear(pending)
		r.shared.gate.pending.Add(-1)
	}
}

// displace makes room among the pending ones, until stop says that the turn is over, and
// reports whether more is due. Only a turn may do so: it closes connections outside their
// own callbacks.
func (r *reactor) displace(stop func() bool) (more bool) {
	for r.shared.gate.crowded() {
		slot, ok := r.oldestSilent()
		if !ok {
			break // the others are on other loops
		}
		r.farewell(slot, ReasonPending)
		if stop() { // only now: a busy loop must get on, too
			return true
		}
	}
	return false
}

// oldestSilent takes the connection that has been silent for longest out of arrivals. One
// whose bytes wait to be read is not silent: the loop has not come to it yet.
func (r *reactor) oldestSilent() (slot timingwheel.ID, ok bool) {
	for range r.arrivals.len() {
		handle, _ := r.arrivals.pop()
		slot, ok = r.find(handle)
		switch {
		case !ok || r.sessions.at(slot).state != stateHandshaking:
		case r.transport.Unread(slot) > 0:
			r.arrivals.push(handle)
		default:
			return slot, true
		}
	}
	return 0, false
}

// forgetArrivals drops what is at the front and no longer silent, so that the queue holds
// no more than what came within HelloTimeout.
func (r *reactor) forgetArrivals() {
	for {
		handle, any := r.arrivals.peek()
		if !any {
			return
		}
		if slot, ok := r.find(handle); ok && r.sessions.at(slot).state == stateHandshaking {
			return
		}
		r.arrivals.pop()
	}
}

// handles is a queue of handles.
type handles struct {
	all  []uint64
	next int
}

func (q *handles) push(h uint64) {
	if q.next > len(q.all)/2 { // so that what was taken is given back
		q.all = q.all[:copy(q.all, q.all[q.next:])]
		q.next = 0
	}
	q.all = append(q.all, h)
}

func (q *handles) len() int { return len(q.all) - q.next }

func (q *handles) peek() (h uint64, ok bool) {
	if q.next == len(q.all) {
		return 0, false
	}
	return q.all[q.next], true
}

func (q *handles) pop() (h uint64, ok bool) {
	if h, ok = q.peek(); ok {
		q.next++
	}
	return h, ok
}
