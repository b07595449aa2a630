package reactor

// What one goroutine asks happens in that order where one session is concerned: what is published to its
// groups, or broadcast, and is still on its way, comes to it before what was asked of it after that. So a
// post for a member brings what the walks have not brought it yet, and these pass it over.

// bringAhead brings a session what is on its way to it. One that does not read as fast as that gets the rest
// with the walk, behind what is asked of it now: to wait for that is to hold up its posts, and to write it
// all the same is to end it as a slow consumer.
func (r *Reactor) bringAhead(slot Slot) {
	if r.groups.of.ref(slot) != 0 && len(r.groups.walks) > 0 {
		var in [16]uint32
		for _, n := range r.groups.of.of(slot, in[:0]) {
			r.bringGroupAhead(slot, n)
		}
	}
	if len(r.rounds) > 0 {
		r.bringRoundsAhead(slot)
	}
}

// bringRoundsAhead has a session be visited by the rounds that have not come to it. Their numbers follow
// each other.
func (r *Reactor) bringRoundsAhead(slot Slot) {
	next := 0
	if last, first := r.ahead[slot], r.rounds[0].number; last >= first {
		next = int(last-first) + 1
	}
	for _, w := range r.rounds[next:] {
		if !w.Ordered || slot < w.Next || !r.reachable(slot) {
			continue
		}
		if r.ahead == nil {
			r.ahead = make(map[Slot]uint64)
		}
		r.ahead[slot] = w.number
		if !r.visit(w, slot) {
			w.Next = noMoreSlots
		}
	}
}

// isAhead says whether a session was visited before the round came to it.
func (r *Reactor) isAhead(w *Round, slot Slot) bool { return w.Ordered && r.ahead[slot] >= w.number }

// reachable says whether a session is one that many are brought something with.
func (r *Reactor) reachable(slot Slot) bool {
	s := r.sessions.at(slot)
	return s.state == stateReady && !s.is(superseded)
}

// bringGroupAhead brings a member what is on its way to one group.
func (r *Reactor) bringGroupAhead(slot Slot, n uint32) {
	for first := true; ; first = false {
		g := r.groups.at(n) // a callback may have ended the session, and the group with it
		if g.fan == nil || !r.reachable(slot) || !g.members.has(slot) {
			return
		}
		f := g.fan
		due := f.due(slot)
		frames, messages := f.from(due)
		if messages == 0 {
			return
		}
		if !first && r.sessions.at(slot).is(backlogged) {
			return
		}
		f.note(slot, due+uint64(messages))
		r.publishTo(slot, n, frames, messages)
	}
}

// due is the number of the first message that a member has not been brought.
func (f *fan) due(slot Slot) uint64 {
	if first, ok := f.late[slot]; ok {
		return first
	}
	if slot < f.next {
		return f.first + uint64(len(f.batch.ends))
	}
	return f.first
}

// from is what there is from a message on, a walk's worth of it at most.
func (f *fan) from(due uint64) (frames []byte, messages int) {
	n := int(due - f.first)
	if in := len(f.batch.ends); n >= in {
		return f.waiting.from(n - in)
	}
	return f.batch.from(n), len(f.batch.ends) - n
}
