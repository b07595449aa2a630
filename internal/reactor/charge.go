package reactor

// overBudget says whether size bytes for one client are more than the budget can bear, whatever
// the client's own limit.
func (r *Reactor) overBudget(size int) bool {
	return size > r.node.Budget.Bound(max(size, r.cfg.MaxQueued))
}

// backlog notes that queued bytes wait for the peer in user space.
func (r *Reactor) backlog(s *Session, queued int) {
	s.set(backlogged)
	x := r.extras.need(s)
	more := int64(queued) - int64(x.queued)
	x.queued = int32(queued)
	if more != 0 {
		r.counters.Queued += more
		r.node.Budget.Add(more)
	}
}

// noBacklog notes that nothing waits for the peer any more, and forgets the PONG that did.
func (r *Reactor) noBacklog(s *Session) {
	if !s.is(backlogged) {
		return
	}
	r.backlog(s, 0)
	s.clear(backlogged)
	x := r.extras.need(s)
	x.pongDue, x.pongToken = false, 0
	r.extras.spare(s)
}

// heldCost is what an unfinished frame of which size bytes are here takes: the transport's buffer
// of it has 1 KiB at least, and grows by quarters.
func heldCost(size int) int {
	if size == 0 {
		return 0
	}
	return max(size+size/4, 1<<10)
}

// hold notes that size bytes of a connection's unfinished frame are here, and says whether they
// may be. All bytes that are read and not consumed pass here.
func (r *Reactor) hold(slot Slot, size int) (ok bool) {
	s := r.sessions.at(slot)
	if size == 0 && s.extra == 0 {
		return true
	}
	x := r.extras.need(s)
	more := int64(heldCost(size)) - int64(x.held)
	x.held += int32(more)
	if more != 0 {
		r.counters.Partial += more
		r.node.Budget.Add(more)
	}
	if size == 0 {
		r.extras.spare(s)
		return true
	}
	return more <= 0 || !r.overBudget(r.keeps(s))
}

// keeps is what a connection takes of the budget.
func (r *Reactor) keeps(s *Session) int {
	x := r.extras.of(s)
	return int(x.held) + int(x.queued) + int(x.kept)
}
