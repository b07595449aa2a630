package server

import (
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// The second gate, at HELLO: how fast clients may come back. Refusing a crowd and letting
// it try again at random only moves the crowd; so whoever finds the gate busy is given
// the next free slot of one queue, with a ticket to prove it, and comes back then.

const (
	// maxQueue bounds the queue: a client that would wait longer is told to back off
	// without a slot. Strangers may fill half of it, so that a flood of junk leaves the
	// other half to clients that had a session before.
	maxQueue = time.Minute
	// ticketGrace is how long after its slot a ticket is good.
	ticketGrace = 10 * time.Second
)

// admission hands out slots at the node's pace, for all loops. It is a generic cell
// rate algorithm (ITU-T I.371): next is when the coming slot is due, and it may lag
// behind the present by the burst. Any goroutine may use it.
type admission struct {
	mu    sync.Mutex
	gap   time.Duration // between two slots
	burst time.Duration // unused slots that are kept, as time
	next  time.Duration
}

// newAdmission paces at rate clients a second, with half a second's worth at once, so
// that clients who return evenly but not exactly so need no second attempt.
func newAdmission(rate float64) *admission {
	a := &admission{}
	a.setRate(0, rate)
	a.next = -a.burst
	return a
}

// setRate changes the pace of the slots. Those that were given out stay, but the queue is as
// long as the same number of clients takes at the new pace: whoever comes after a slow spell
// does not wait for what it promised.
func (a *admission) setRate(now time.Duration, rate float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	gap := time.Duration(min(float64(time.Second)/rate, float64(longest)))
	if ahead := a.next - now; ahead > 0 && a.gap > 0 {
		a.next = now + time.Duration(float64(ahead)/float64(a.gap)*float64(gap))
	}
	a.gap = gap
	a.burst = max(time.Second/2, 16*gap)
}

// ask takes the next slot and returns how long it is until then; zero admits at once. If
// that is longer than limit, it takes none and ok is false.
func (a *admission) ask(now, limit time.Duration) (wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := max(a.next, now-a.burst)
	wait = max(0, next-now)
	if wait > limit {
		return wait, false
	}
	a.next = next + a.gap
	return wait, true
}

// ahead is how long whoever takes the next slot would wait for it.
func (a *admission) ahead(now time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(0, a.next-now)
}

// admit decides whether a client with a well-formed HELLO may come in now. If not, the
// notice says when.
// returns says that it showed an earlier session.
func (r *reactor) admit(slot timingwheel.ID, m *codec.HelloMessage, returns bool) Reason {
	now := r.clock.real
	addr := addrKey(r.transport.RemoteAddr(slot))
	if wait, ok := r.shared.addrs.enter(now, addr); !ok {
		r.notice.Delay, r.notice.Window = wait, wait
		return ReasonAddrLimit
	}
	r.sessions.at(slot).set(counted)
	// A client that comes and goes too often is held off: alone, it would wear out the
	// second gate for all. Nobody has shown yet that the id is his, so what others do in
	// its name does not count: elsewhere in any case, and with an authenticator not here
	// either, since the handshake is counted when the token was good.
	id := idKey(m.ClientID, addr)
	count := r.shared.ids.enter
	if r.askAuth != nil {
		count = r.shared.ids.look
	}
	wait, ok := count(now, id)
	if !ok {
		return r.flapping(wait)
	}
	if number, ok := r.shared.seals.redeem(now, m.Ticket, m.ClientID); ok {
		r.counters.Tickets++
		if r.askAuth != nil {
			x := r.extras.need(r.sessions.at(slot))
			x.ticket, x.invited = number, true
		}
		return ReasonNone
	}
	limit := maxQueue / 2
	if returns {
		r.counters.Resumed++
		limit = maxQueue
	}
	wait, ok = r.shared.admission.ask(now, limit)
	switch {
	case !ok:
		r.notice.Delay, r.notice.Window = maxQueue/2, maxQueue
		return ReasonBusy
	case wait > 0:
		r.notice.Delay = wait
		r.notice.Ticket = r.shared.seals.ticket(r.token[:], now+wait, m.ClientID)
		return ReasonBusy
	}
	return ReasonNone
}

func (r *reactor) flapping(wait time.Duration) Reason {
	r.notice.Delay, r.notice.Window = wait, wait
	return ReasonFlapping
}
