package reactor

import "time"

// Connections that are not in yet have a share of the places (gate.Conns). When silent ones fill
// it, the one that came first goes, wherever on the node it is.

// joinPending counts a connection as pending until leavePending.
// Its place is one of the gate's (admitted) or beyond them (knocking); 0: it has it.
func (r *Reactor) joinPending(slot Slot, place flags) {
	s := r.sessions.at(slot)
	s.set(place | pending)
	r.node.Conns.BeginPending()
	r.arrivals.push(arrival{r.Handle(slot), r.clock.real, s.is(turned)})
	if r.arrivals.len() == 1 {
		r.tellSilence(true)
	}
}

// leavePending takes a connection out of the pending ones: it is in, or on its way out.
func (r *Reactor) leavePending(s *Session) {
	if s.is(pending) {
		s.clear(pending)
		r.node.Conns.EndPending()
	}
}

// makeRoom makes room among the pending ones, until stop says that the turn is over, and
// reports whether more is due here. Only a turn may do so: it closes connections outside
// their own callbacks.
func (r *Reactor) makeRoom(stop func() bool) (more bool) {
	for r.node.Conns.Crowded() {
		slot, ok := r.oldestSilent()
		r.tellSilence(ok)
		if !ok {
			break
		}
		if index, _ := r.node.Silences.Oldest(); index != r.index && !r.node.Conns.Overrun() {
			break // it is another loop's turn
		}
		r.arrivals.pop()
		r.sendAway(slot, ReasonPending, linger)
		if stop() { // only now: a busy loop must get on, too
			more = true
			break
		}
	}
	return more
}

// oldestSilent brings the connection that has been silent for longest to the front of
// arrivals. One whose bytes wait to be read is not silent: the loop has not come to it yet.
func (r *Reactor) oldestSilent() (slot Slot, ok bool) {
	for range r.arrivals.len() {
		a, _ := r.arrivals.peek()
		slot, ok = r.find(a.handle)
		switch {
		case !ok || !r.mayBeSilent(slot, a):
			r.arrivals.pop()
		case r.transport.Unread(slot) > 0:
			r.arrivals.pop()
			r.arrivals.push(a)
		default:
			return slot, true
		}
	}
	return 0, false
}

// mayBeSilent says whether a connection is as it was when it came among the pending ones.
func (r *Reactor) mayBeSilent(slot Slot, a arrival) bool {
	s := r.sessions.at(slot)
	return s.state == stateHandshaking && s.is(pending) && s.is(turned) == a.turned
}

// forgetArrivals drops what is at the front and no longer silent, so that the queue holds
// no more than what came within HelloTimeout.
func (r *Reactor) forgetArrivals() {
	for {
		a, any := r.arrivals.peek()
		if any {
			slot, ok := r.find(a.handle)
			any = ok && r.mayBeSilent(slot, a)
		}
		if any || r.arrivals.len() == 0 {
			break
		}
		r.arrivals.pop()
	}
	if !r.node.Conns.Crowded() { // makeRoom has looked more closely
		r.tellSilence(true)
	}
}

// tellSilence lets the other loops know since when the front of arrivals has been silent, if
// it is.
func (r *Reactor) tellSilence(silent bool) {
	a, _ := r.arrivals.peek() // zero if there is none
	if !silent {
		a.at = 0
	}
	r.node.Silences.Tell(r.index, a.at)
}

// arrivals is a queue of connections in the order in which they came.
type arrivals struct {
	all  []arrival
	next int
}

type arrival struct {
	handle uint64
	at     time.Duration // in real time
	turned bool
}

func (q *arrivals) push(a arrival) {
	if q.next > len(q.all)/2 { // so that what was taken is given back
		q.all = q.all[:copy(q.all, q.all[q.next:])]
		q.next = 0
	}
	q.all = append(q.all, a)
}

func (q *arrivals) len() int { return len(q.all) - q.next }

func (q *arrivals) peek() (a arrival, ok bool) {
	if q.next == len(q.all) {
		return arrival{}, false
	}
	return q.all[q.next], true
}

func (q *arrivals) pop() (a arrival, ok bool) {
	if a, ok = q.peek(); ok {
		q.next++
	}
	return a, ok
}
