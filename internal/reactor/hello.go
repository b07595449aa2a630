package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// hello takes a client through the second gate: version, address, its turn, its token.
// It returns why not, or ReasonNone if the client is in or being checked.
func (r *Reactor) hello(slot Slot, payload []byte) Reason {
	lowest, highest, ok := codec.HelloVersions(payload)
	if ok && (codec.ProtocolVersion < lowest || codec.ProtocolVersion > highest) {
		return ReasonVersion
	}
	m, err := codec.ParseHello(payload)
	if err != nil {
		return ReasonBadPayload
	}
	old, stamp, returns := r.node.Seals.Returns(r.wall(), m.ReturnPass, m.ClientID)
	if why := r.knocked(slot, old, returns); why != ReasonNone {
		return why
	}
	if stamp != 0 {
		r.extras.need(r.sessions.at(slot)).after = stamp
	}
	if why := r.admit(slot, &m, returns); why != ReasonNone {
		return why
	}
	r.sessions.at(slot).name = r.names.put(m.ClientID)
	r.app.Greeted(slot, Origin{m.Incarnation, m.Attempt})
	if r.asker != nil {
		return r.authenticate(slot, &m)
	}
	return r.welcome(slot, time.Time{})
}

// knocked counts a HELLO and how long it has waited, and says why its client can have no place.
// old is its earlier session, if it returns.
func (r *Reactor) knocked(slot Slot, old codec.SessionID, returns bool) Reason {
	waited, there := r.transport.Waited(slot)
	r.waited = max(r.waited, waited)
	if !there {
		r.counters.Gone++
		return ReasonPeerClosed
	}
	r.counters.Knocks++
	if returns && old.Epoch == r.node.Epoch {
		x := r.extras.need(r.sessions.at(slot))
		x.ghost, x.haunted = old.Handle, true
	}
	if !r.findPlace(slot) {
		r.counters.Refused++
		r.app.Refused(ReasonFull)
		return ReasonFull
	}
	return ReasonNone
}

// welcome makes the connection a session, which ends by itself at expires unless that is
// zero; or has it wait, while it is asked how long another lasts.
func (r *Reactor) welcome(slot Slot, expires time.Time) Reason {
	s := r.sessions.at(slot)
	standing, why := r.enlist(slot, expires)
	if why != ReasonNone || standing == gate.Taken {
		return why
	}
	s.state = stateReady
	r.leavePending(s)
	after := r.extras.of(s).after
	if s.extra != 0 {
		x := r.extras.need(s)
		x.invited, x.ticket, x.after = false, 0, 0
		r.extras.spare(s)
	}
	r.wheel.SetTTL(slot, r.terms.Timeout)
	r.wheel.Touch(slot)
	s.terms = uint8(r.terms.Number)
	r.growWindow()
	s.set(ponged) // WELCOME tells as much
	now := r.wall()
	left := time.Duration(0)
	if !expires.IsZero() {
		r.endAt(slot, now, expires)
		left = r.left(r.extras.of(s))
	}
	r.counters.Sessions++
	r.counters.Hellos++
	id := r.SessionID(slot)
	var err error
	r.out, err = codec.AppendWelcome(r.out, &codec.WelcomeMessage{
		Version:    codec.ProtocolVersion,
		Session:    id,
		Terms:      r.terms,
		Limits:     r.limits(s),
		Expires:    left,
		ServerTime: now,
		Node:       r.node.Name,
		Alternates: r.cfg.Alternates, // they go with the terms' number: of a later change it is told like all
		ReturnPass: r.node.Seals.Pass(r.token[:], now.Add(passLife), id, r.app.Stamp(slot, after), r.names.get(s.name)),
	})
	if err != nil {
		return ReasonInternal
	}
	if standing == gate.Among || r.extras.of(s).haunted {
		// Nobody makes way for a client whom WELCOME does not reach.
		if r.flush(slot); s.state != stateReady {
			return ReasonNone
		}
		r.live.begin(r.Handle(slot)) // before the others' ends are told, on loops that wait for nobody
		r.displace(slot, standing)
	} else {
		r.live.begin(r.Handle(slot))
	}
	s.set(opened)
	r.app.Opened(slot)
	return r.kicked()
}
