package reactor

// Round is a walk over all sessions of a loop, a few a turn.
type Round struct {
	// Visit is called for each session, on the loop. It returns what is to be sent to it, a frame or
	// nil, and whether to go on.
	Visit func(slot Slot) (frame []byte, on bool)
	// Done is called when the round has ended, unless its loop ends before; may be nil.
	Done func()
	// Next is the slot that is looked at next: where the round begins, and then the round's own.
	Next Slot
	// Ordered has a session's visit come before what is asked of it later than the round began.
	Ordered bool
	// Foreign has the clock be asked after each visit: nobody knows how long it takes, since it calls what an
	// application has given.
	Foreign bool

	number uint64 // of those that began on its loop, in their order
}

// noMoreSlots is where a round is that has ended.
const noMoreSlots = ^Slot(0)

// BeginRound begins a round. Sessions that begin while it is under way may be in it.
func (r *Reactor) BeginRound(w *Round) {
	r.begun++
	w.number = r.begun
	r.rounds = append(r.rounds, w)
}

// goRounds goes on with the rounds, one after the other, until stop says that the turn is over,
// with a step at least, and reports whether more is left.
func (r *Reactor) goRounds(stop func() bool) (more bool) {
	for len(r.rounds) > 0 {
		w := r.rounds[0]
		if !r.goRound(w, stop) {
			return true
		}
		r.rounds = r.rounds[1:]
		if w.Done != nil {
			w.Done()
		}
		if len(r.rounds) > 0 && stop() { // one that ends at once may have been dear
			return true
		}
	}
	r.rounds, r.ahead = nil, nil
	return false
}

// goRound goes on with a round and says whether it has ended.
func (r *Reactor) goRound(w *Round, stop func() bool) (ended bool) {
	visitCost := walkStep / fanStep // of a session, where a slot without one costs 1
	if w.Foreign {
		visitCost = walkStep
	}
	for cost := 1; w.Next < Slot(len(r.sessions)*sessionChunk); cost++ {
		slot := w.Next
		w.Next++
		if r.reachable(slot) && !r.isAhead(w, slot) {
			if !r.visit(w, slot) {
				return true
			}
			cost += visitCost
		}
		if cost >= walkStep {
			if stop() {
				return false
			}
			cost = 0
		}
	}
	return true
}

// visit is a round's visit of a session.
func (r *Reactor) visit(w *Round, slot Slot) (on bool) {
	frame, on := w.Visit(slot)
	if why := r.kicked(); why != ReasonNone {
		r.finish(slot, why)
		return on
	}
	if r.flush(slot); r.sessions.at(slot).state != stateReady || len(frame) == 0 {
		return on
	}
	if r.tooSlowFor(slot, len(frame)) {
		r.counters.Dropped++
		return on
	}
	r.counters.Delivers++
	r.write(slot, frame)
	return on
}
