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
)

// retry is the wait for the next attempt. It belongs to no connection.
type retry struct {
	at       time.Duration
	last     time.Duration // the latest backoff draw, for Decorrelated
	ticket   string        // place in a server's queue, for the next attempt's HELLO only
	failures uint8         // attempts since the last stable session, saturating
	here     bool          // return to the endpoint of the latest attempt
	ordered  bool          // the wait is the server's: nothing local cuts it
}

// loss says how a connection ended.
type loss struct {
	reason LossReason
	err    error
	local  bool // the cause is on this side
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
	if m.Code.Advice() == codec.ReturnNever || m.Code == codec.CodeTokenExpired && !l.cfg.FreshTokens {
		l.ended(c, loss{err: err, goAway: m}, out)
		l.halt(err, out)
		return
	}
	l.lose(now, c, loss{err: err, goAway: m}, out)
}

// lose ends a connection and schedules the next attempt.
func (l *Link) lose(now time.Duration, c *conn, why loss, out *Out) {
	if l.leaving(c) {
		if !why.ended {
			out.close(c.attempt)
		}
		*c = conn{}
		return
	}
	wasReady := c.state == StateReady
	if !why.ended {
		out.close(c.attempt)
	}
	l.ended(c, why, out)

	advice, blamed := codec.ReturnElsewhere, !why.local
	if m := why.goAway; m != nil {
		advice = m.Code.Advice()
		blamed = advice == codec.ReturnElsewhere
	}
	if blamed {
		l.penalise(now, c.addr.String())
	}
	current := c == l.current()
	*c = conn{addr: c.addr}
	if current {
		l.rest = StateBackingOff
		if l.promote() {
			return // the attempt that was to replace it goes on
		}
	}
	r := &l.retry
	r.ticket, r.ordered = "", false
	if m := why.goAway; m != nil {
		r.ticket = string(m.Ticket)
		r.ordered = m.Delay > 0 || m.Window > 0
	}
	if wasReady && now-l.readyAt >= l.cfg.StableAfter {
		r.failures, r.last = 0, 0
	}
	r.here = advice == codec.ReturnHere && r.failures < trusted
	r.at = now + l.wait(now, wasReady, &why)
	r.failures = min(r.failures+1, 100)
	out.notify(Event{Kind: RetryAt, At: r.at})
}

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
func (l *Link) wait(now time.Duration, wasReady bool, why *loss) time.Duration {
	r := &l.retry
	var first time.Duration
	switch m := why.goAway; {
	case r.ordered:
		first = m.Delay + l.rng.below(m.Window)
		if r.failures < trusted {
			return first
		}
	case m != nil && m.Code.Advice() == codec.ReturnElsewhere && l.anyFree(now):
		if r.failures < trusted {
			return 0 // a draining server paces this itself
		}
	case why.local || m != nil && m.Code.Info().SessionOnly:
		first = l.rng.below(localSpread)
		if r.failures == 0 {
			return first
		}
	case wasReady && l.cfg.Policy == Window:
		first = l.spread(min(l.terms.Window, maxWait), why.noticedOver)
		if r.failures == 0 {
			return first
		}
	}
	// Nothing stable came of the attempts before: the backoff goes on, and a draw over
	// a large window is not shortened by it.
	return max(first, l.backoff())
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

// backoff draws by the policy. The names are those of M. Brooker, "Exponential Backoff
// and Jitter", AWS Architecture Blog, 2015.
func (l *Link) backoff() time.Duration {
	low, high := l.cfg.BackoffMin, l.cfg.BackoffMax
	v := low
	for i := uint8(1); i < l.retry.failures && v < high; i++ {
		v = min(2*v, high)
	}
	switch l.cfg.Policy {
	case Equal:
		v = v/2 + l.rng.below(v/2)
	case Decorrelated:
		v = min(high, low+l.rng.below(3*max(l.retry.last, low)-low))
	case Fixed:
		v = low
	case Exponential:
	default: // Window, Full
		v = l.rng.below(v)
	}
	l.retry.last = v
	return v
}
