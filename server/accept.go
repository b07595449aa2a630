package server

import (
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// accept takes in a connection, or refuses it. by is nil for TCP.
func (l *loop) accept(c gnet.Conn, by *arrival) {
	if by == nil && l.srv.nowhere != nil {
		_ = l.el.Close(c)
		return
	}
	now := l.now()
	var seen look
	if l.reactor.Overloaded() {
		wait, there := waited(c.Fd())
		if !there { // it gave up while it waited: the cheapest end
			l.taken.Add(gate.CostOfGone)
			l.reactor.Missed(wait)
			_ = l.el.Close(c)
			return
		}
		seen = look{conn: c, at: now, wait: wait}
	}
	l.looked.add(seen)
	l.taken.Add(gate.CostOfTaken)
	slot, ok := l.reactor.Open(now)
	if !ok {
		_ = l.el.Close(c)
		return
	}
	for int(slot>>connChunkBits) >= len(l.conns) {
		l.conns = append(l.conns, new([connChunk]gnet.Conn))
	}
	*l.entry(slot) = c
	s := l.reactor.Session(slot)
	c.SetContext(s)
	if by == nil {
		l.setBackstops(c)
	} else {
		if l.peers == nil {
			l.peers = make(map[reactor.Slot]Peer)
		}
		l.peers[slot] = by.peer
	}
	if l.staged != nil && !l.staged.begin(c, s, by) {
		return
	}
	if l.reactor.Enter(slot, c.Fd()) {
		l.askForRoom(false) // the turn after this batch sends the oldest away
	}
}

// look is what the kernel told of a connection when it was accepted.
type look struct {
	conn gnet.Conn
	at   time.Duration
	wait time.Duration // since its last bytes had come
}

// lookHolds is how long that is good for.
const lookHolds = 20 * time.Millisecond

// looks are the last two, the latest first. Under overload, who waited is accepted in one round of events, and its
// HELLO is read in the next one, after the next connection was accepted.
type looks [2]look

func (l *looks) add(latest look) { l[1], l[0] = l[0], latest }

// waited is how long a connection has waited at that time, if what was told of it is still good.
func (l *looks) waited(c gnet.Conn, at time.Duration) (wait time.Duration, known bool) {
	for _, seen := range l {
		if since := at - seen.at; seen.conn == c && since < lookHolds {
			return seen.wait + since, true
		}
	}
	return 0, false
}
