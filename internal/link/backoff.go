package link

import "time"

const (
	// minSpread is the least mean of the waits of an outage, also for a client that was
	// never told a window. It is short because a refused connect is cheap.
	minSpread = 2500 * time.Millisecond

	// An outage that is older than young is no restart. From then on the waits grow, until
	// it is old, to what BackoffMax allows.
	young = 2 * time.Minute
	old   = 10 * time.Minute

	// loneFactor times BackoffMin is the first wait of a handover that knows no other
	// endpoint: only a name or a balancer can lead it to another node, and there is a session.
	// So a drain of 20 s costs a client four attempts.
	loneFactor = 4
)

// backoff counts what failed since the last stable session.
type backoff struct {
	last     uint32 // ms, the latest draw, for Decorrelated
	failures uint8  // saturating, as orders
	orders   uint8  // of those, the ones for which a server said where to go and when
	refusals uint8  // of those, the ones after which every endpoint had refused
	hops     uint8  // attempts in a row without a wait between them
}

func (b *backoff) failed(ordered bool) {
	b.failures = min(b.failures+1, 100)
	if ordered {
		b.orders = min(b.orders+1, 100)
	}
}

// trusts reports whether servers may still order the client about without the backoff
// having a say. A connect that is refused is nobody's order: a client that knocked in vain
// while its node was away still comes at the slot that it then gets.
func (b *backoff) trusts() bool { return b.orders < trusted }

// step doubles low with every failure after the first, up to high.
func (b *backoff) step(low, high time.Duration) time.Duration {
	v := low
	for i := uint8(1); i < b.failures && v < high; i++ {
		v = min(2*v, high)
	}
	return v
}

// draw takes the next wait by the policy. The names are those of M. Brooker, "Exponential
// Backoff and Jitter", AWS Architecture Blog, 2015.
func (l *Link) draw(now time.Duration, b *backoff) time.Duration {
	low, high := l.cfg.BackoffMin, l.cfg.BackoffMax
	v := b.step(low, high)
	moving := b == &l.retry.moves
	switch policy := l.cfg.Policy; {
	case moving && l.alone(now):
		v = b.step(min(loneFactor*low, high), high)
		v = min(v/2+l.rng.below(v), high)
	case policy == Equal:
		v = v/2 + l.rng.below(v/2)
	case policy == Decorrelated:
		last := time.Duration(b.last) * time.Millisecond
		v = min(high, low+l.rng.below(3*max(last, low)-low))
	case policy == Fixed:
		v = low
	case policy == Exponential:
	case policy == Window && !moving:
		v = l.drawOutage(now, b)
	default: // Full, and Window while nothing is lost
		v = l.rng.below(v)
	}
	b.last = uint32(v / time.Millisecond)
	return v
}

// drawOutage is full jitter, doubling, until the step reaches the spread w; from then on
// each wait is w/2 + U(0, w).
//
// While w is the window that the server told, N clients with a mean wait of w make
// N/window attempts a second: what the nodes can take in, whenever they are back. The time
// from any moment to a client's next attempt (the residual life of a renewal process) is
// then 1.36 w in the 99th percentile and 1.5 w at most. U(0, 2w) has the same mean, 1.8 w
// and 2 w; a backoff that doubles on has the outage's own length.
func (l *Link) drawOutage(now time.Duration, b *backoff) time.Duration {
	w := l.outageSpread(now)
	if v := b.step(l.cfg.BackoffMin, w); v < w {
		return l.rng.below(v)
	}
	return w/2 + l.rng.below(w)
}

// outageSpread is the last told window while the outage is young. The longest wait is half
// as much again, so BackoffMax bounds it at two thirds.
func (l *Link) outageSpread(now time.Duration) time.Duration {
	top := l.cfg.BackoffMax / 3 * 2
	w := min(max(l.terms.Window, minSpread, l.cfg.BackoffMin), top)
	age := now - time.Duration(l.retry.outage)*time.Second
	grown := min(max(age-young, 0), old-young)
	return w + time.Duration(float64(top-w)*float64(grown)/float64(old-young))
}
