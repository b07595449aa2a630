package reactor

import (
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A client renews its grant by a token in a PING. It is checked as that of HELLO is, off the loop,
// one at a time and one a second at most; what is too much is ignored, and has cost its rate as any
// PING has. A good token moves the end of the session, and any other leaves it where it was.

// leastRenewal is the least time between two checks of one session's tokens.
const leastRenewal = time.Second

// Renewal is a question for the Asker about a client that is in.
type Renewal struct {
	Handle   uint64        // of its session
	Check    time.Duration // which one; the answer must name it
	ClientID []byte        // valid until Renew returns, as Token is
	Token    []byte
	Addr     netip.Addr
	From     Origin
}

// renew has the token in the payload of a PING checked, if there is one and something to renew.
func (r *Reactor) renew(slot Slot, payload []byte) {
	s := r.sessions.at(slot)
	token := codec.Renewal(payload)
	if x := r.extras.of(s); len(token) == 0 || r.asker == nil || x.expires == 0 || r.clock.real < x.renewal {
		return
	}
	check := r.clock.real + r.checkTime()
	if !r.asker.Renew(Renewal{Handle: r.Handle(slot), Check: check, ClientID: r.ClientID(slot), Token: token,
		Addr: r.transport.RemoteAddr(slot), From: r.app.Origin(slot)}) {
		check = r.clock.real + leastRenewal
		r.counters.NotRenewed++
	}
	r.extras.need(s).renewal = check
}

// checkTime is after how long a check counts for nothing, since its answer may never come.
func (r *Reactor) checkTime() time.Duration { return max(r.cfg.AuthTimeout, leastRenewal) }

// renewed goes on with a session whose token was checked in time.
func (r *Reactor) renewed(a Answer) {
	slot, ok := r.resolve(a.Handle)
	if !ok || r.extras.of(r.sessions.at(slot)).renewal != a.Check || r.clock.real >= a.Check {
		r.counters.Stale++
		return
	}
	r.extras.need(r.sessions.at(slot)).renewal = a.Check - r.checkTime() + leastRenewal
	now := r.wall()
	if a.Why == ReasonInternal {
		r.counters.Panics++
	}
	if a.Why != ReasonNone || !a.Expires.IsZero() && !a.Expires.After(now) {
		r.counters.NotRenewed++
		return
	}
	r.counters.Renewed++
	r.endAt(slot, now, a.Expires)
	r.tellEnd(slot)
	r.flush(slot)
}
