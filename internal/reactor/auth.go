package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// Answer is what came of a check.
type Answer struct {
	Handle  uint64        // of the connection
	Why     Reason        // it may not come in, or ReasonNone
	Expires time.Time     // end of the session; zero: never
	Delay   time.Duration // of ReasonInUse
	Limits  *Limits       // of the session; nil: those of all
	Grant   any           // what the application is to know of it
	Check   time.Duration // of Renewal, if the client was in already; else 0
}

// authenticate has the client of a HELLO checked. The HELLO deadline has been met; a slow
// authenticator is the server's fault, so what follows it is "busy", not a timeout. The
// client is not in yet, but it has spoken: it is not sent away as silent.
func (r *Reactor) authenticate(slot Slot, m *codec.HelloMessage) Reason {
	s := r.sessions.at(slot)
	s.state = stateAuthenticating
	r.wheel.SetTTL(slot, r.cfg.AuthTimeout)
	r.wheel.Touch(slot)
	if !r.asker.Ask(r.Handle(slot), m, r.transport.RemoteAddr(slot)) {
		return r.overworked(slot)
	}
	return ReasonNone
}

// overworked sends a client away that the authenticator had no time for. It takes long
// enough that the way in is not paid for again and again.
func (r *Reactor) overworked(slot Slot) Reason {
	r.busyFor(time.Second)
	r.inviteAgain(slot)
	return ReasonBusy
}

// authenticated goes on with a client that was checked, if it is still there.
func (r *Reactor) authenticated(a Answer) {
	if a.Check != 0 {
		r.renewed(a)
		return
	}
	slot, ok := r.find(a.Handle)
	if !ok || r.sessions.at(slot).state != stateAuthenticating {
		r.counters.Stale++
		return
	}
	why := a.Why
	if _, there := r.transport.Waited(slot); !there {
		why = ReasonPeerClosed // it left meanwhile: nobody may be displaced for it
	}
	switch why {
	case ReasonNone:
		if why = r.comesTooOften(slot); why == ReasonNone {
			r.app.Granted(slot, a.Grant)
			r.limit(slot, a.Limits)
		}
	case ReasonBusy:
		why = r.overworked(slot)
	case ReasonTokenExpired:
		r.inviteAgain(slot)
	case ReasonInUse:
		r.notice.Delay = max(a.Delay, 0)
	case ReasonInternal:
		r.counters.Panics++
	}
	r.decided(slot, why, a.Expires)
}

// decided goes on with a client that had to wait outside its callback: it is welcomed, unless it may not
// come in.
func (r *Reactor) decided(slot Slot, why Reason, expires time.Time) {
	if why == ReasonNone {
		why = r.welcome(slot, expires)
	}
	if why != ReasonNone {
		r.finish(slot, why)
		return
	}
	if r.sessions.at(slot).state != stateReady {
		return // WELCOME did not reach it, or it waits
	}
	r.watchPartial(slot, r.transport.Held(slot), true)
	r.flush(slot)
}

// inviteAgain gives a client that had its turn, and is to come again, another ticket: it
// stands in no queue twice.
func (r *Reactor) inviteAgain(slot Slot) {
	s := r.sessions.at(slot)
	if x := r.extras.of(s); x.invited {
		x.invited = false // the one that it came with is spent
		r.notice.Ticket = r.node.Seals.Ticket(r.token[:], r.clock.real+r.notice.Delay, r.names.get(s.name))
	}
}

// comesTooOften counts the handshake of a client that has shown that its id is its own.
func (r *Reactor) comesTooOften(slot Slot) Reason {
	id := r.node.Seals.IDKey(r.names.get(r.sessions.at(slot).name), gate.AddrKey(r.transport.RemoteAddr(slot)))
	if wait, ok := r.node.IDs.Enter(r.clock.real, id); !ok {
		r.busyFor(wait)
		return ReasonFlapping
	}
	return ReasonNone
}
