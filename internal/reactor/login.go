package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
)

// A client that may come in finds others under its id. The node's roster knows them, on whatever loop
// they are; without one only a return pass names a session. Nobody makes way before WELCOME was
// written, and for nobody who has gone.

// mayDisplace says whether a login may end another's session.
func (r *Reactor) mayDisplace() bool {
	return r.node.Roster == nil || r.node.Roster.Policy() != gate.Refuse
}

func (r *Reactor) login(slot Slot) gate.Login {
	own := r.app.Origin(slot)
	return gate.Login{Handle: r.Handle(slot), Incarnation: own.Incarnation, Attempt: own.Attempt}
}

// enlist lists a client under its id that is to be welcomed, with a session until expires. If it is Taken
// the client waits until the loop of the session in its way has said how long that may last.
func (r *Reactor) enlist(slot Slot, expires time.Time) (standing gate.Standing, why Reason) {
	if ghost, ok := r.ghostHere(slot); ok && r.app.Origin(ghost).newer(r.app.Origin(slot)) {
		return gate.Late, ReasonSuperseded
	}
	if r.node.Roster == nil {
		return gate.Alone, ReasonNone
	}
	standing, oldest := r.node.Roster.Enter(r.ClientID(slot), r.login(slot))
	switch standing {
	case gate.Late:
		return standing, ReasonSuperseded
	case gate.Taken:
		r.askForEnd(slot, oldest, expires)
	}
	return standing, ReasonNone
}

// ghostHere is the earlier session that a return pass has named, if it is on this loop.
func (r *Reactor) ghostHere(slot Slot) (ghost Slot, ok bool) {
	x := r.extras.of(r.sessions.at(slot))
	if !x.haunted || uint8(x.ghost>>56) != r.index {
		return 0, false
	}
	return r.resolve(x.ghost)
}

// displace has those make way, on whatever loop they are, whose place a welcomed client takes, or the client
// itself. The place among the connections of one that its return pass has named passes on, if the client has none.
func (r *Reactor) displace(slot Slot, standing gate.Standing) {
	s := r.sessions.at(slot)
	c := Closing{kind: makeWay, by: r.app.Origin(slot), heir: r.Handle(slot)}
	x := *r.extras.of(s)
	if x.haunted {
		w := r.extras.need(s)
		w.ghost, w.haunted = 0, false
		r.extras.spare(s)
	}
	c.heired = s.is(knocking)
	if c.heired {
		s.clear(knocking) // the ghost's loop ends the knock
		s.set(admitted)
	}
	var all []gate.Displaced
	if standing == gate.Among {
		all = r.node.Roster.Displace(r.ClientID(slot), r.login(slot), nil)
	}
	for _, d := range all {
		if d.Handle != c.heir { // itself, if a later login was welcomed before it was counted
			r.app.Follows(slot, d.Handle)
		}
	}
	for _, d := range all {
		w := c
		w.handle, w.why = d.Handle, ReasonReplaced
		if d.Same {
			w.why = ReasonSuperseded
		}
		w.heired = c.heired && x.haunted && d.Handle == x.ghost
		x.haunted = x.haunted && d.Handle != x.ghost
		r.forward(w)
	}
	if x.haunted {
		if len(all) == 0 && r.mayDisplace() {
			r.app.Follows(slot, x.ghost)
		}
		c.handle, c.why = x.ghost, ReasonSuperseded
		r.forward(c)
	}
}

// unlist takes a session that has ended from the roster.
func (r *Reactor) unlist(slot Slot) {
	if r.node.Roster != nil {
		r.node.Roster.Leave(r.ClientID(slot), r.Handle(slot))
	}
}
