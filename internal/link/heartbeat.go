package link

import (
	"math"
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
	speak time.Duration // the longest silence of ours while an answer is waited for

	pongDue  time.Duration // dead if nothing complete comes until then; 0: not waiting
	lookAt   time.Duration // when to ask whether the peer's kernel has the PING
	pingAt   time.Duration // when the earliest PING was written that has no answer, or the latest that has one
	intended time.Duration // when it was due
	after    int64         // bytes written after the latest PING
	slow     *slowness     // nil unless its answer is late and something moves
	token    uint64        // of the latest PING; they are numbered from 1 over all sessions
	more     uint16        // PINGs from the earliest to the latest; at most 65,535 are told apart
	answered bool          // the PONG of the earliest, or of one behind it, has come
	blurred  bool          // perhaps while the owner could not read: no round trip is told
	telling  bool          // the latest PING was sent to tell that tighter terms are applied
	taken    bool          // the peer's kernel has the latest PING
	held     bool          // the owner cannot read: PINGs go on, and nothing is waited for
	rtt      time.Duration
}

// deadline is when to PING, when to look after the PING, or when the answer must be there.
// The PING waits for the earlier of the two directions: a client that writes all the time
// into a half-open connection hears nothing and PINGs as well. While the owner cannot read,
// nothing is heard, and what is written counts.
func (h *heartbeat) deadline() time.Duration {
	switch {
	case h.held:
		return h.wrote + h.beat
	case !h.waiting():
		return min(h.wrote, h.heard) + h.beat
	}
	due := h.pongDue
	if !h.taken {
		due = min(due, h.lookAt)
	}
	return min(due, h.sayAt())
}

// sayAt is when another PING is due while an answer is waited for. What is on its way to us may be late
// while all that we write arrives: the server must not take the client for dead before the client has
// given it up.
func (h *heartbeat) sayAt() time.Duration {
	if h.crawls() {
		return h.wrote + h.beat
	}
	return h.wrote + h.speak
}

func (h *heartbeat) waiting() bool { return h.pongDue != 0 }

// crawls: the PING, or its PONG, stands behind what is slow on its way. The server must not
// take the client for dead before the answer is there: it gets more PINGs.
func (h *heartbeat) crawls() bool { return h.slow != nil }

// await begins the wait for something complete.
func (h *heartbeat) await(now, timeout time.Duration) {
	h.pongDue, h.lookAt = now+timeout, now+min(timeout/looks, h.beat)
	h.taken, h.slow = false, nil
}

// heardNow ends it.
func (h *heartbeat) heardNow(now time.Duration) {
	h.heard, h.pongDue = now, 0
	h.slow, h.held = nil, false
}

// Ping asks a session's server at once, unless an answer is waited for already. It has
// the whole pong timeout to answer: the owner is curious, not in doubt.
func (l *Link) Ping(now time.Duration, out *Out) {
	if l.State() == StateReady && !l.heartbeat.waiting() {
		l.ping(now, now, l.current(), nil, out)
	}
}

// ping writes a PING, with a token for the server or none, and waits for the answer.
func (l *Link) ping(now, intended time.Duration, c *conn, token []byte, out *Out) {
	h := &l.heartbeat
	h.beat = l.drawBeat()
	h.speak = l.longestSilence()
	h.await(now, l.pongTimeout())
	l.sayPing(now, intended, c, token, out)
	h.after = 0
}

// sayPing writes a PING, whether or not one is waited for. Its token is within bounds. The round trip
// is that of the earliest without an answer: a server that is later than our next PING would else never
// have one.
func (l *Link) sayPing(now, intended time.Duration, c *conn, token []byte, out *Out) {
	h := &l.heartbeat
	h.token++
	if h.answered {
		h.pingAt, h.intended, h.more = now, intended, 0
		h.answered, h.blurred = false, false
	} else if h.more < math.MaxUint16 {
		h.more++
	}
	h.telling, h.blurred = false, h.blurred || h.held
	start := len(out.frames)
	if len(token) == 0 {
		out.frames = codec.AppendPing(out.frames, h.token, l.terms.Number)
	} else {
		out.frames, _ = codec.AppendRenewal(out.frames, h.token, l.terms.Number, token)
	}
	l.wrote(now, c, start, out)
	l.spend(len(out.frames) - start)
	out.notify(Event{Kind: PingSent, Attempt: c.attempt, Intended: intended})
}

// alive notes a complete frame from the server, of whatever type.
func (l *Link) alive(now time.Duration, c *conn) {
	c.excused, c.doubted = false, false
	if c == l.current() {
		l.heartbeat.heardNow(now)
	}
}

// wrote has the frame that begins at start written on a session's connection.
func (l *Link) wrote(now time.Duration, c *conn, start int, out *Out) {
	out.write(c.attempt, start)
	if c == l.current() {
		l.heartbeat.wrote = now
		l.heartbeat.after += int64(len(out.frames) - start)
	}
}

func (l *Link) pong(now time.Duration, c *conn, m codec.PongMessage, out *Out) {
	if l.leaving(c) {
		l.readTo(now, c, m.Token)
		return
	}
	tighter := l.setTerms(c, m.Terms, out)
	tighter = l.setLimits(c, m.Limits, out) || tighter
	l.setGrant(now, m.Expires)
	l.addAlternates(m.Alternates)
	h := &l.heartbeat
	if m.Token == h.token && h.after == 0 {
		l.allTaken(now)
	}
	// Else it is an announcement, or the answer of one that was answered with an earlier.
	if m.Token != 0 && m.Token <= h.token && h.token-m.Token <= uint64(h.more) && !h.answered {
		h.answered = true
		l.pongs++
		if !h.blurred {
			h.rtt = now - h.pingAt
			out.notify(Event{Kind: Pong, Attempt: c.attempt, RTT: h.rtt, FromIntended: now - h.intended})
		}
	}
	if tighter && !h.telling {
		l.ping(now, now, c, nil, out)
		h.telling = true
	}
	if l.sends != nil && m.Limits != (codec.Limits{}) {
		l.resend(now, out)
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
	l.heartbeat.speak = l.longestSilence()
	out.notify(Event{Kind: Termed, Attempt: c.attempt, Terms: t})
	return t.Timeout != 0 && (t.Timeout < old.Timeout || old.Timeout == 0)
}

// drawBeat draws the silence before the next PING, so that clients that connected
// together drift apart (RFC 5626, section 4.4.1).
func (l *Link) drawBeat() time.Duration {
	d := l.interval()
	return d - l.rng.below(d/5)
}

// longestSilence is half of the server's timeout: a node whose answers are late gets fewer PINGs than
// one that answers, and hears of the client in time.
func (l *Link) longestSilence() time.Duration {
	if l.terms.Timeout <= 0 {
		return Never
	}
	return max(l.terms.Timeout/2, l.heartbeat.beat)
}

// interval is the longest silence. It leaves a fifth of the server's timeout for the way.
func (l *Link) interval() time.Duration {
	d := l.cfg.Interval
	if d == 0 {
		d = l.terms.Interval
	}
	if l.terms.Patience > 0 {
		d = max(d, l.terms.Interval) // the server cannot keep up: fewer heartbeats, whoever wants more
	}
	if d == 0 {
		d = defaultInterval
	}
	if l.terms.Timeout > 0 {
		d = min(d, l.terms.Timeout/5*4)
	}
	return min(max(d, minInterval), maxWait)
}
