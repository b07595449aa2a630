package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// The second gate, at HELLO: how fast clients may come back. Refusing a crowd and letting
// it try again at random only moves the crowd; so whoever finds the gate busy is given
// the next free slot of one queue, with a ticket to prove it, and comes back then.

// admit decides whether a client with a well-formed HELLO may come in now. If not, the
// notice says when.
// returns says that it showed an earlier session.
func (r *Reactor) admit(slot Slot, m *codec.HelloMessage, returns bool) Reason {
	now := r.clock.real
	addr := gate.AddrKey(r.transport.RemoteAddr(slot))
	wait, held, ok := r.node.Addrs.Hold(now, addr)
	if !ok {
		r.busyFor(wait)
		return ReasonAddrLimit
	}
	if held {
		r.sessions.at(slot).set(counted)
	}
	// A client that comes and goes too often is held off: alone, it would wear out the
	// second gate for all. Nobody has shown yet that the id is his, so what others do in
	// its name does not count: elsewhere in any case, and with an authenticator not here
	// either, since the handshake is counted when the token was good.
	id := r.node.Seals.IDKey(m.ClientID, addr)
	count := r.node.IDs.Enter
	if r.asker != nil {
		count = r.node.IDs.Look
	}
	if wait, ok = count(now, id); !ok {
		r.busyFor(wait)
		return ReasonFlapping
	}
	if number, ok := r.node.Seals.Redeem(now, m.Ticket, m.ClientID); ok {
		r.counters.Tickets++
		if r.asker != nil {
			x := r.extras.need(r.sessions.at(slot))
			x.ticket, x.invited = number, true
		}
		return ReasonNone
	}
	limit := gate.MaxWait / 2 // strangers leave the other half to clients that had a session before
	if returns {
		r.counters.Resumed++
		limit = gate.MaxWait
	}
	if r.sessions.at(slot).is(hadSlot) {
		r.node.Queue.Take(now)
		r.sessions.at(slot).clear(hadSlot)
		return ReasonNone
	}
	wait, ok = r.node.Queue.Ask(now, limit)
	switch {
	case !ok:
		r.notice.Delay, r.notice.Window = gate.MaxWait/2, gate.MaxWait
		return ReasonBusy
	case wait > 0:
		r.notice.Delay = wait
		r.notice.Ticket = r.node.Seals.Ticket(r.token[:], now+wait, m.ClientID)
		return ReasonBusy
	}
	return ReasonNone
}

// busyFor has the client told to come back after wait.
func (r *Reactor) busyFor(wait time.Duration) { r.notice.Delay, r.notice.Window = wait, wait }
