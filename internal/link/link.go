package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A Link is one client: one id, one session at a time, retried for ever. It is a plain
// value of some 440 bytes, so that hundreds of thousands fit in a slab; Init makes it
// usable. It must not be copied after that.
type Link struct {
	cfg    *Config
	number uint64 // for cfg.ID
	rng    rng

	// The session's connection or the attempt to get one; and, around a handover, the
	// next one or the one that was left.
	conns    [2]conn
	leave    *leave // conns[1] is what the session has left; nil otherwise
	moving   bool   // the session's server drains: conns[1] is, or will be, the next
	rest     State  // the state while there is no connection
	patience patience

	// The present or latest session.
	session    codec.SessionID
	node       interned
	returnPass string // secret that WELCOME gave, presented after a loss
	terms      codec.Terms
	limits     told
	grant      grant
	pace       *pacer // nil until there is a SEND
	readyAt    time.Duration

	heartbeat heartbeat
	retry     retry

	alternates interned   // "host:port,host:port": endpoints that servers named
	penalties  *[]penalty // nil until there is one: most links never meet a bad endpoint

	sends    *sends // nil until there is one
	lastErr  error
	attempts uint32 // the latest attempt's number, which counts the dials too
	sessions uint32
	losses   uint32
	pongs    uint32
}

// conn is one connection, from the wish to dial to its end.
type conn struct {
	addr    interned      // kept after the end, for whoever returns to it
	due     time.Duration // when to give up; while leaving, when to go on; else not while ready
	attempt uint32        // 0: no connection
	state   State         // Resolving to Ready
	excused bool          // has had its second chance since the server was last heard
	doubted bool          // the network has changed since the server was last heard
	saidBye bool

	// Of a name that was resolved; see Resolved.
	others standings // of its other addresses
	dest   uint32    // hash of the address that was chosen; 0: none was
}

// tardy is how late a Tick may be before the link takes the owner, not the server, to
// have been asleep (suspended, stopped, starved). A timeout that is noticed later than
// this becomes, once, a new chance of the same length. So a server that died is noticed
// within interval + pong timeout, or one pong timeout after the owner woke.
const tardy = 500 * time.Millisecond

// Init makes l an idle link, whose client id is cfg.ID of number. Links that share a seed
// draw the same random numbers. cfg is kept and must not change any more.
func (l *Link) Init(cfg *Config, number, seed uint64) {
	*l = Link{cfg: cfg, number: number, rng: rng(seed)}
}

// Start makes the first attempt, at once. It does nothing unless the link is idle.
func (l *Link) Start(now time.Duration, out *Out) {
	if l.State() == StateIdle {
		l.retry.outage = seconds(now)
		l.dial(now, out)
	}
}

// Stop says BYE, closes the connection and ends the link for good. It may be repeated.
func (l *Link) Stop(now time.Duration, out *Out) {
	if l.rest == StateStopped {
		return
	}
	for i := range l.conns {
		l.bye(&l.conns[i], out)
	}
	l.halt(nil, out)
}

// halt ends the link. err says why if that was not its owner's wish.
func (l *Link) halt(err error, out *Out) {
	attempt := l.current().attempt
	for i := range l.conns {
		if c := &l.conns[i]; c.attempt != 0 {
			out.close(c.attempt)
			l.conns[i] = conn{addr: c.addr}
		}
	}
	l.rest, l.moving, l.leave = StateStopped, false, nil
	out.notify(Event{Kind: Stopped, Attempt: attempt, Err: err})
}

// Deadline is when Tick wants to be called, Never if nothing is waited for. It may be in
// the past after any call but Tick.
func (l *Link) Deadline() time.Duration {
	return min(l.deadline(), l.nextDeadline(), l.resendDue(), l.renewDue())
}

// deadline is that of the session, or of the attempt or the wait to get one.
func (l *Link) deadline() time.Duration {
	switch l.State() {
	case StateResolving, StateConnecting, StateHandshaking:
		return l.current().due
	case StateReady:
		return l.heartbeat.deadline()
	case StateBackingOff:
		return l.retry.at
	default:
		return Never
	}
}

// Tick does what is due at now. It must be called at or soon after Deadline, and after
// what the network already has was given to Received, and Flow whatever it Asks; to call it
// early is harmless.
func (l *Link) Tick(now time.Duration, out *Out) {
	if deadline := l.nextDeadline(); now >= deadline {
		l.tickNext(now, now-deadline, out)
	}
	l.tickSends(now, out)
	l.tickGrant(now, out)
	deadline := l.deadline()
	if now < deadline {
		return
	}
	c := l.current()
	switch late := now - deadline; l.State() {
	case StateBackingOff:
		l.dial(now, out)
	case StateResolving, StateConnecting, StateHandshaking:
		l.tickAttempt(now, late, c, out)
	case StateReady:
		h := &l.heartbeat
		if h.waiting() && now < h.pongDue && !h.held {
			h.taken = h.taken || now >= h.lookAt // for all that the owner knows
			if due := h.sayAt(); now >= due {
				l.sayPing(now, due, c, nil, out)
			}
			return
		}
		// A PING that is itself late needs no excuse: its answer has all its time.
		if h.waiting() && !h.held && !l.excuse(c, late) {
			l.lose(now, c, loss{reason: PongTimeout, err: errNoPong, fault: c.silence(), noticedOver: h.beat}, out)
			return
		}
		l.ping(now, deadline, c, nil, out)
	}
}

// tickAttempt is for an attempt whose time is over.
func (l *Link) tickAttempt(now, late time.Duration, c *conn, out *Out) {
	patience, reason, err := l.connectTimeout(), ConnectTimeout, errNoConnection
	if c.state == StateHandshaking {
		patience, reason, err = l.welcomeTimeout(), WelcomeTimeout, errNoWelcome
	}
	if !l.excuse(c, late) {
		l.lose(now, c, loss{reason: reason, err: err, fault: c.silence()}, out)
		return
	}
	c.due = now + patience
}

// silence says what a timeout is about.
func (c *conn) silence() Fault {
	if c.doubted {
		return FaultHost
	}
	return FaultPeer
}

// excuse reports whether a timeout noticed this late shall not count. Once in a row, so
// that an owner that is always late still gets rid of dead servers.
func (l *Link) excuse(c *conn, late time.Duration) bool {
	if late <= tardy || c.excused {
		return false
	}
	c.excused = true
	return true
}

// leaving reports whether c is the connection that its session has left for the other one.
func (l *Link) leaving(c *conn) bool { return c == &l.conns[1] && l.leave != nil }

// current is the connection of the session, or the attempt to get one.
func (l *Link) current() *conn { return &l.conns[0] }

// find returns the connection of an attempt, nil if it is gone.
func (l *Link) find(attempt uint32) *conn {
	for i := range l.conns {
		if c := &l.conns[i]; c.attempt == attempt && attempt != 0 {
			return c
		}
	}
	return nil
}

// Attempt is that of the session's connection, or of the attempt to get one; 0 if there
// is neither.
func (l *Link) Attempt() uint32 { return l.current().attempt }

// ID is the client's.
func (l *Link) ID() string { return l.cfg.ID(l.number) }

// State says what the link is doing. While it moves from one server to another, it is
// ready.
func (l *Link) State() State {
	if c := l.current(); c.attempt != 0 {
		return c.state
	}
	return l.rest
}

// Info copies what there is to know.
func (l *Link) Info() Info {
	info := Info{
		State:       l.State(),
		Attempt:     l.attempts,
		Endpoint:    l.current().addr.String(),
		Node:        l.node.String(),
		Session:     l.session,
		Terms:       l.terms,
		MaxDeliver:  l.limits.get().MaxDeliver,
		ReadySince:  l.readyAt,
		Expires:     l.grant.ends,
		RTT:         l.heartbeat.rtt,
		NextAttempt: Never,
		Incarnation: l.incarnation(),
		LastError:   l.lastErr,
		Dials:       l.attempts,
		Sessions:    l.sessions,
		Losses:      l.losses,
		Pings:       uint32(l.heartbeat.token),
		Pongs:       l.pongs,
		Moving:      l.moving,
		Unsettled:   l.Unsettled(),

		ConnectTimeout: l.connectTimeout(),
		WelcomeTimeout: l.welcomeTimeout(),
	}
	info.Refused = info.State != StateReady && l.allRefused()
	if info.State == StateBackingOff || l.moving && (l.conns[1].attempt == 0 || l.leave != nil) {
		info.NextAttempt = l.retry.at
	}
	return info
}
