package reactor

// A client that lost its session without the node's knowledge (a cut network) is back before
// the node can tell that the old connection is dead. Its return pass names that session, so
// without any index the node ends it when the new one is welcomed. And since the dead would
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

// supersede ends the earlier session of a client that was welcomed, on whatever loop it is.
// Its place passes on if the client has none.
func (r *Reactor) supersede(slot Slot) {
	s := r.sessions.at(slot)
	x := r.extras.of(s)
	if !x.haunted {
		return
	}
	c := Closing{handle: x.ghost, why: ReasonSuperseded, by: r.app.Origin(slot)}
	x.ghost, x.haunted = 0, false
	r.extras.spare(s)
	if s.is(knocking) {
		s.clear(knocking) // the ghost's loop ends the knock
		s.set(admitted)
		c.heir, c.heired = r.Handle(slot), true
	}
	r.forward(c)
}

// bequeath passes the place of a session that is superseded, or on its way out, on to its
// client's new one. If its connection is closed its place is given up, and has perhaps been
// taken: then the heir must go.
func (r *Reactor) bequeath(ghost, heir uint64, by Origin) {
	g := r.node.Conns
	g.EndKnock()
	if slot, ok := r.find(ghost); ok && r.sessions.at(slot).is(admitted) && !r.app.Origin(slot).newer(by) {
		r.sessions.at(slot).clear(admitted)
		return
	}
	if !g.Enter() {
		g.Force() // the heir takes it back when it ends
		r.forward(Closing{handle: heir, why: ReasonFull})
	}
}
