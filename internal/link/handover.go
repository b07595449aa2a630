package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A handover is make before break: a server that drains asks its clients to connect
// elsewhere first, and serves them until they have.
//
//	told      GOAWAY draining on the session: it goes on; the next attempt has its time
//	moving    conns[1] is that attempt; one that fails is followed by another
//	moved     its WELCOME came: it is the session now, the old connection is conns[1]
//	leaving   the old connection is kept until all is said, says BYE, and is read to its end
//
// If the session dies before the WELCOME, that is a loss like any other, except that an
// attempt which is under way is not thrown away.

const (
	// overlap is how long the old connection is kept after the move, and after its server has
	// read what was written to it before: messages and ACKs that were on their way when the
	// session moved are still taken, and acknowledged.
	overlap = time.Second
	// byeTime is how long it is read after BYE for what crossed with it.
	byeTime = time.Second
)

// leave is the end of a connection that its session has left. On a slow link much may be
// waiting that was sent before: a PING is written behind it, and BYE waits for the PONG. That
// is put off as long as the peer's kernel takes bytes at the least rate, and so by a bounded
// time, since nothing is added; and from then on by a pong timeout.
type leave struct {
	token    uint64        // of the PING
	answered bool          // the server has read all that was sent
	overlap  time.Duration // what the terms leave of it
	out      flowing       // what the peer's kernel takes
	taken    time.Duration // when it had all; 0: it has not
}

// handOver obeys GOAWAY draining on a session.
func (l *Link) handOver(now time.Duration, c *conn, m *codec.GoAwayMessage, out *Out) {
	if l.moving {
		return // told twice
	}
	// The next dial waits for the end of a connection that was left: what it brought may not be answered yet.
	l.blame(now, c, failed)
	l.settle(now)
	r := &l.retry
	wait := m.Delay + l.rng.below(m.Window) // usually none: the server paces this itself
	if !r.moves.trusts() || l.alone(now) {
		wait = max(wait, l.draw(now, &r.moves))
	}
	r.ticket, r.here = string(m.Ticket), false
	r.moves.failed(true)
	r.at = now + wait
	l.moving = true
	out.notify(Event{Kind: Draining, Attempt: c.attempt, Code: m.Code, Delay: m.Delay, Window: m.Window})
	out.notify(Event{Kind: RetryAt, At: r.at})
}

// move makes the next connection, whose WELCOME has come, the session's. The terms are
// still those of the old one.
func (l *Link) move(now time.Duration, out *Out) {
	old, next := l.conns[0], l.conns[1]
	keep := overlap
	if l.terms.Timeout > 0 {
		keep = min(keep, l.terms.Timeout/5) // what an interval leaves of it: the server shall not have to evict
	}
	old.due = now + keep
	l.settle(now)
	h := &l.heartbeat
	h.token++
	start := len(out.frames)
	out.frames = codec.AppendPing(out.frames, h.token, l.terms.Number)
	out.write(old.attempt, start)
	l.leave = &leave{token: h.token, overlap: keep}
	l.conns[0], l.conns[1] = next, old
	l.moving = false
	h.wrote = next.due - l.welcomeTimeout() // its HELLO
	h.heardNow(now)                         // its WELCOME
}

// lingers puts off the BYE of a connection that was left while what was written to it is
// still on its way.
func (l *Link) lingers(now time.Duration, c *conn, f Flow) {
	v := l.leave
	taken := f.Taken
	if taken == 0 {
		taken = -int64(f.Untaken)
	}
	switch {
	case v.taken != 0: // it waits for the PONG
	case f.Untaken == 0:
		v.taken = now
	case v.out.since == 0:
		v.out = flowing{now, taken, taken}
	case now-v.out.since >= leastTime && !v.out.moved(now, taken):
		return
	}
	if v.taken == 0 || now < v.taken+l.pongTimeout() {
		c.due = now + v.overlap
	}
}

// readTo takes a PONG of a connection that was left: if it is the answer to the last PING,
// the server has read everything, and has a moment to acknowledge it.
func (l *Link) readTo(now time.Duration, c *conn, token uint64) {
	if v := l.leave; token == v.token && !v.answered {
		v.answered = true
		l.pongs++
		if !c.saidBye {
			c.due = now + v.overlap
		}
	}
}

// promote turns the next attempt into the only one, after the session died under a move.
// It reports whether there was one.
func (l *Link) promote() bool {
	if next := l.conns[1]; l.moving && next.attempt != 0 && l.leave == nil {
		l.conns[0], l.conns[1] = next, conn{}
		l.moving = false
		if next.state == StateHandshaking {
			l.heartbeat.wrote = next.due - l.welcomeTimeout()
		}
		return true
	}
	l.moving = false
	return false
}

// replacedByUs reports whether a "replaced" on the session is the doing of our own next
// connection, whose HELLO is out: nodes may know of each other's clients.
func (l *Link) replacedByUs(c *conn, code codec.Code) bool {
	return code == codec.CodeReplaced && c == l.current() && l.moving && l.conns[1].state == StateHandshaking
}

// nextDeadline is when the second connection, or the lack of one, wants attention.
func (l *Link) nextDeadline() time.Duration {
	switch c := &l.conns[1]; {
	case c.attempt != 0:
		return c.due
	case l.moving:
		return l.retry.at
	default:
		return Never
	}
}

func (l *Link) tickNext(now, late time.Duration, out *Out) {
	switch c := &l.conns[1]; {
	case c.attempt == 0:
		l.dial(now, out)
	case !l.leaving(c):
		l.tickAttempt(now, late, c, out)
	case !c.saidBye && l.excuse(c, late):
		c.due = now + l.leave.overlap // what came while the owner slept is read first
	case !c.saidBye:
		l.bye(c, out)
		c.due = now + byeTime
	default:
		l.dropLeaving(out)
		if now >= l.nextDeadline() {
			l.dial(now, out) // of another handover, which waited for this
		}
	}
}

// bye says BYE on a session's connection, once.
func (l *Link) bye(c *conn, out *Out) {
	if c.state != StateReady || c.saidBye {
		return
	}
	c.saidBye = true
	start := len(out.frames)
	out.frames = codec.AppendBye(out.frames)
	out.write(c.attempt, start)
}

// dropLeaving closes the old connection of a move, if it is still there.
func (l *Link) dropLeaving(out *Out) {
	if c := &l.conns[1]; l.leaving(c) {
		l.bye(c, out)
		out.close(c.attempt)
		l.sendsEnded(c.attempt, out)
		*c, l.leave = conn{}, nil
	}
}
