package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

const (
	// localSpread is the spread of returns that no other client makes at the same time.
	localSpread = time.Second

	// trusted is how often in a row servers may order the client about without the
	// backoff having a say: two nodes that send it to each other must not make it spin.
	trusted = 3

	// refusedSpread is the first of the spreads of attempts by a client that every endpoint has
	// refused with a code from 3500. Each is twice the last, up to refusedMost.
	refusedSpread = time.Minute
	refusedMost   = time.Hour
)

// retry is the wait for the next attempt. It belongs to no connection.
type retry struct {
	at     time.Duration
	ticket string // place in a server's queue, for the next attempt's HELLO only

	// Moves that are refused say nothing about what comes after a loss: the nodes were all
	// there, and had no room yet.
	lost   backoff // of attempts without a session
	moves  backoff // of a handover's
	outage uint32  // when the last stable session ended, or Start was called: seconds since the owner's origin
	home   uint32  // hash of the endpoint of the latest session
	dest   uint32  // hash of the address to return to, if here; 0: any

	unheard bool // the latest attempt led elsewhere, and nobody answered
	here    bool // return to the endpoint of the latest attempt
	ordered bool // the wait is the server's: nothing local cuts it
	owed    bool // the session died while its next attempt was under way: if that fails, the loss's first draw is due
}

// loss says how a connection ended.
type loss struct {
	reason LossReason
	err    error
	fault  Fault
	ended  bool // the owner knows: nothing is left to close
	goAway *codec.GoAwayMessage

	// noticedOver is the time over which the clients of one dead node notice it: they are
	// spread that much already.
	noticedOver time.Duration
}

// goAway obeys the server's farewell.
func (l *Link) goAway(now time.Duration, c *conn, m *codec.GoAwayMessage, out *Out) {
	if l.leaving(c) {
		l.dropLeaving(out) // whatever it says, the session is not there any more
		return
	}
	l.addAlternates(m.Alternates)
	m.Delay, m.Window = min(m.Delay, maxWait), min(m.Window, maxWait)
	if m.Code == codec.CodeDraining && c.state == StateReady {
		l.handOver(now, c, m, out)
		return
	}
	err := &CodeError{Code: m.Code, Reason: string(m.Reason)}
	if l.replacedByUs(c, m.Code) {
		l.lose(now, c, loss{err: err, goAway: m}, out)
		return
	}
	if l.stops(c, m.Code) {
		l.ended(c, loss{err: err, goAway: m}, out)
		l.halt(err, out)
		return
	}
	l.lose(now, c, loss{err: err, goAway: m}, out)
}

// stops reports whether a code ends the client for good: another has taken its place, its
// server's application says never, or it has nothing new to show. While there is a session, no
// other node's word ends it.
func (l *Link) stops(c *conn, code codec.Code) bool {
	switch {
	case c != l.current() || l.cfg.NeverGiveUp:
		return false
	case code == codec.CodeTokenExpired:
		return !l.cfg.FreshTokens
	case code >= 3900 && code <= 3999: // its application's
		return c.state == StateReady
	default:
		return code == codec.CodeReplaced
	}
}

// lose ends a connection and schedules the next attempt.
func (l *Link) lose(now time.Duration, c *conn, why loss, out *Out) {
	if l.leaving(c) {
		if !why.ended {
			out.close(c.attempt)
		}
		l.sendsEnded(c.attempt, out)
		*c, l.leave = conn{}, nil
		return
	}
	wasReady, before := c.state == StateReady, c.state <= StateConnecting
	if !why.ended {
		out.close(c.attempt)
	}
	l.ended(c, why, out)

	blamed := why.blamed()
	if blamed != free {
		l.blame(now, c, blamed)
	}
	r := &l.retry
	b := &r.moves
	if c == l.current() {
		b = &r.lost
	}
	again, sameName := l.again(now, c, blamed, b)
	if blamed == astray && !again && (l.allAstray(now) || b.hops >= maxHops) {
		l.forgiveAstray()
		if !wasReady && !l.retry.owed { // else a router may have told all the clients of a node
			why.fault = FaultHost
		}
	}
	if wasReady {
		l.sendsEnded(c.attempt, out)
		l.settle(now)
		if m := why.goAway; m != nil && m.Window > 0 && !m.Code.Info().SessionOnly {
			l.terms.Window = m.Window // the node's last word on how fast its clients can come back
		}
	} else if !again {
		l.patience.wasted(&why)
	}
	current, dest, addr := c == l.current(), c.dest, c.addr.String()
	*c = conn{addr: c.addr}
	if again {
		if current {
			l.rest = StateBackingOff
		}
		r.ticket, r.ordered, r.here, r.dest, r.at = "", false, sameName, 0, now
		b.hops++
		out.notify(Event{Kind: RetryAt, At: r.at})
		return
	}
	b.hops = 0
	r.unheard = why.reason == ConnectTimeout && why.fault == FaultPeer && hashAddress(addr) != r.home
	if current {
		l.rest = StateBackingOff
		if l.promote() {
			r.owed = true
			return // the attempt that was to replace it goes on
		}
		wasReady = wasReady || r.owed
		r.owed = false
	}
	r.aim(&why, dest, b, before)
	r.at = now + l.wait(now, b, wasReady, &why)
	b.failed(why.goAway != nil)
	out.notify(Event{Kind: RetryAt, At: r.at})
}

// blamed is what the end of a connection says of where it led.
func (why *loss) blamed() standing {
	switch m := why.goAway; {
	case m != nil && m.Code.Advice() == codec.ReturnHere:
		return free
	case m != nil && m.Code.Advice() == codec.AvoidAddress:
		return refused
	case why.fault == FaultHost:
		return free
	case why.fault == FaultPath:
		return astray
	default:
		return failed
	}
}

// aim says where the next attempt goes, and with what in its hand: back to dest if the server
// wants that, elsewhere otherwise. before says that no HELLO was written.
func (r *retry) aim(why *loss, dest uint32, b *backoff, before bool) {
	// A ticket that no HELLO has carried is still good, where it is from.
	unused := r.ticket != "" && why.fault == FaultHost && before
	if !unused {
		r.ticket = ""
	}
	advice := codec.ReturnElsewhere
	r.ordered = false
	if m := why.goAway; m != nil {
		advice = m.Code.Advice()
		r.ticket = string(m.Ticket)
		r.ordered = (m.Delay > 0 || m.Window > 0) && advice != codec.AvoidAddress // which is about that address
	}
	r.here = advice == codec.ReturnHere && b.trusts() || unused
	switch {
	case !r.here:
		r.dest = 0
	case dest != 0:
		r.dest = dest
	}
}

// settle begins anew after a session that was stable.
func (l *Link) settle(now time.Duration) {
	if now-l.readyAt >= l.cfg.StableAfter {
		l.retry.lost, l.retry.moves, l.retry.outage = backoff{}, backoff{}, seconds(now)
	}
}

// seconds rounds down a time since the owner's origin.
func seconds(now time.Duration) uint32 { return uint32(now / time.Second) }

// ended counts and tells the end of a connection.
func (l *Link) ended(c *conn, why loss, out *Out) {
	event := Event{Kind: Lost, Attempt: c.attempt, WasReady: c.state == StateReady, Reason: why.reason, Err: why.err}
	if event.WasReady {
		l.losses++
	}
	l.lastErr = why.err
	if m := why.goAway; m != nil {
		event.Kind, event.Code, event.Delay, event.Window = GoneAway, m.Code, m.Delay, m.Window
	}
	out.notify(event)
}

// wait draws the time to the next attempt.
func (l *Link) wait(now time.Duration, b *backoff, wasReady bool, why *loss) time.Duration {
	r := &l.retry
	avoid := why.goAway != nil && why.goAway.Code.Advice() == codec.AvoidAddress
	var first time.Duration
	switch m := why.goAway; {
	case avoid && b == &r.lost && l.allRefused():
		return max(m.Delay+l.rng.below(m.Window), l.drawRefused())
	case r.ordered:
		first = m.Delay + l.rng.below(m.Window)
		if b.trusts() {
			return first
		}
	case m != nil && m.Code.Advice() != codec.ReturnHere && l.anyFree(now):
		if b.trusts() {
			return 0 // a draining server paces this itself
		}
	case why.fault == FaultHost || m != nil && m.Code.Info().SessionOnly:
		first = l.rng.below(localSpread)
		if b.failures == 0 {
			return first
		}
	case wasReady && l.cfg.Policy == Window:
		first = l.spread(min(l.terms.Window, maxWait), why.noticedOver)
		if b.failures == 0 {
			return first
		}
	}
	// Nothing stable came of the attempts before: the backoff goes on, and a draw over
	// a large window is not shortened by it.
	return max(first, l.draw(now, b))
}

// drawRefused is the wait of a client whom nobody wants: full jitter, doubling each time.
func (l *Link) drawRefused() time.Duration {
	b := &l.retry.lost
	spread := min(refusedSpread<<b.refusals, refusedMost)
	b.refusals = min(b.refusals+1, 10)
	return l.rng.below(spread)
}

// spread draws the first return after the loss of a node, so that its clients come back
// evenly over window.
//
// A connection that breaks is noticed by all at once, and the draw is U(0, window). A
// silent node is noticed by each at its own next PING, evenly over `noticedOver`; to add
// a second full draw would take that much longer. So window is cut into steps no shorter
// than noticedOver and the client joins one of them: notice + step is even over window
// again.
func (l *Link) spread(window, noticedOver time.Duration) time.Duration {
	if noticedOver <= 0 {
		return l.rng.below(window)
	}
	steps := max(1, window/noticedOver)
	step := window / steps
	return time.Duration(l.rng.below(steps))*step + l.rng.below(step-noticedOver)
}
