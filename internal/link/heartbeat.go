package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

const (
	defaultInterval = 30 * time.Second  // if neither side names one
	minInterval     = codec.MinInterval // whatever the server says
	maxWait         = codec.MaxInterval // the longest that a server can make a client wait
	maxPongTimeout  = time.Minute       // the longest that a server can make a client wait for a PONG
)

// heartbeat is the liveness of the session, apart from its connection: no write, failed
// or not, and no state of the socket can stop it.
type heartbeat struct {
	wrote time.Duration // the latest frame of any kind to the server
	heard time.Duration // the latest complete frame from the server
	beat  time.Duration // drawn for each PING: U(0.8, 1.0) x interval

	pongDue  time.Duration // dead if nothing complete comes until then; 0: not waiting
	pingAt   time.Duration // when the latest PING was written
	intended time.Duration // when it was due
	token    uint64        // of the latest PING; they are numbered from 1 over all sessions
	answered bool          // the latest PING's PONG has come
	telling  bool          // the latest PING was sent to tell that tighter terms are applied
	rtt      time.Duration
}

// deadline is when to PING, or when the answer must be there. It waits for the earlier
// of the two directions: a client that writes all the time into a half-open connection
// hears nothing and PINGs as well.
func (h *heartbeat) deadline() time.Duration {
	if h.waiting() {
		return h.pongDue
	}
	return min(h.wrote, h.heard) + h.beat
}

func (h *heartbeat) waiting() bool { return h.pongDue != 0 }

// Ping asks a session's server at once, unless an answer is waited for already. It has
// the whole pong timeout to answer: the owner is curious, not in doubt.
func (l *Link) Ping(now time.Duration, out *Out) {
	if l.State() == StateReady && !l.heartbeat.waiting() {
		l.ping(now, now, l.current(), out)
	}
}

func (l *Link) ping(now, intended time.Duration, c *conn, out *Out) {
	h := &l.heartbeat
	h.token++
	h.answered, h.telling = false, false
	h.wrote, h.pingAt, h.intended = now, now, intended
	h.pongDue = now + l.pongTimeout()
	h.beat = l.drawBeat()
	start := len(out.frames)
	out.frames = codec.AppendPing(out.frames, h.token, l.terms.Number)
	out.write(c.attempt, start)
	out.notify(Event{Kind: PingSent, Attempt: c.attempt, Intended: intended})
}

// alive notes a complete frame from the server, of whatever type.
func (l *Link) alive(now time.Duration, c *conn) {
	c.excused, c.doubted = false, false
	if c == l.current() {
		l.heartbeat.heard = now
		l.heartbeat.pongDue = 0
	}
}

func (l *Link) pong(now time.Duration, c *conn, m codec.PongMessage, out *Out) {
	if l.leaving(c) {
		return
	}
	tighter := l.setTerms(c, m.Terms, out)
	h := &l.heartbeat
	// Else it is an announcement, or an answer that a later PING made stale.
	if m.Token != 0 && m.Token == h.token && !h.answered {
		h.answered = true
		h.rtt = now - h.pingAt
		l.pongs++
		out.notify(Event{Kind: Pong, Attempt: c.attempt, RTT: h.rtt, FromIntended: now - h.intended})
	}
	if tighter && !h.telling {
		l.ping(now, now, c, out)
		h.telling = true
	}
}

// Held says that the owner could not read until now for a reason of its own, such as an
// application that takes its time over a message. A PONG that is waited for gets all its
// time again.
func (l *Link) Held(now time.Duration) {
	if l.heartbeat.waiting() {
		l.heartbeat.pongDue = now + l.pongTimeout()
	}
}

// setTerms obeys new terms at once: the next PING is due by the new interval, counted
// from the frames before. tighter says that the server has to hear of it: a shorter timeout
// holds from the PING that carries its number.
//
// A PING that was sent for that is followed by no other for the same reason, whatever its
// PONG brings: a server that shortens its terms step by step would get one a round trip
// from every client, just when it has recovered.
func (l *Link) setTerms(c *conn, t codec.Terms, out *Out) (tighter bool) {
	old := l.terms
	l.terms = t
	if t.Interval == old.Interval && t.Timeout == old.Timeout && t.Patience == old.Patience {
		return false // the window needs no beat drawn
	}
	l.heartbeat.beat = l.drawBeat()
	out.notify(Event{Kind: Termed, Attempt: c.attempt, Terms: t})
	return t.Timeout != 0 && (t.Timeout < old.Timeout || old.Timeout == 0)
}

// drawBeat draws the silence before the next PING, so that clients that connected
// together drift apart (RFC 5626, section 4.4.1).
func (l *Link) drawBeat() time.Duration {
	d := l.interval()
	return d - l.rng.below(d/5)
}

// interval is the longest silence. It leaves a fifth of the server's timeout for the way.
func (l *Link) interval() time.Duration {
	d := l.cfg.Interval
	if d == 0 {
		d = l.terms.Interval
	}
	if d == 0 {
		d = defaultInterval
	}
	if l.terms.Timeout > 0 {
		d = min(d, l.terms.Timeout/5*4)
	}
	return min(max(d, minInterval), maxWait)
}
