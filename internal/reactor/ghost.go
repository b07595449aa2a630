package reactor

// A client that lost its session without the node's knowledge (a cut network) is back before
// the node can tell that the old connection is dead. Its return pass names that session, so
// that it makes way without any index when the new one is welcomed. And since the dead would
// fill the house otherwise, a full node hears a newcomer's HELLO before it refuses.

// findPlace says whether there is a place for a client that came when there was none: one
// that was given up since, or that of the client's own earlier session, which ends when the
// client is welcomed.
func (r *Reactor) findPlace(slot Slot) bool {
	s := r.sessions.at(slot)
	if !s.is(knocking) {
		return true
	}
	if r.node.Conns.Enter() {
		s.clear(knocking)
		s.set(admitted)
		r.node.Conns.EndKnock()
		return true
	}
	return r.extras.of(s).haunted
}

// bequeath passes the place of a session that makes way, or is on its way out, on to its client's
// new one. If its connection is closed its place is given up, and has perhaps been taken: then the
// heir must go.
func (r *Reactor) bequeath(c *Closing) {
	g := r.node.Conns
	g.EndKnock()
	if slot, ok := r.find(c.handle); ok && r.sessions.at(slot).is(admitted) && r.yields(slot, c) {
		r.sessions.at(slot).clear(admitted)
		return
	}
	if !g.Enter() {
		g.Force() // the heir takes it back when it ends
		r.forward(Closing{handle: c.heir, why: ReasonFull})
	}
}
