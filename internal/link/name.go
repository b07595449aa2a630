package link

import (
	"net"
	"net/netip"
	"time"
)

// A name stands for all its addresses. Each is a destination with a penalty of its own, and
// what fails before it is connected leads to the next one at once, in an attempt of its own.
// The name has failed when all have.

// maxHops bounds the attempts without a wait between them.
const maxHops = 32

func isLiteral(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}

// Resolved says that what precedes connect() is done: a token is there, the name is looked up.
// The connect timeout starts anew. It returns where to connect to: one of addrs, or without
// them the endpoint as it was given; "" if the attempt is over. Owners that have only IP
// literals to connect to need not call it.
func (l *Link) Resolved(now time.Duration, attempt uint32, addrs []netip.AddrPort) (addr string) {
	c := l.find(attempt)
	if c == nil || c.state != StateResolving && c.state != StateConnecting {
		return ""
	}
	c.state = StateConnecting
	c.due = now + l.connectTimeout()
	if len(addrs) == 0 {
		return c.addr.String()
	}
	return l.choose(now, c, addrs).String()
}

// choose takes the address that the client was told to return to, or one without a penalty, or
// the lesser evil. It notes what is known of the others.
func (l *Link) choose(now time.Duration, c *conn, addrs []netip.AddrPort) (chosen netip.AddrPort) {
	var lesser netip.AddrPort
	var least time.Duration
	unmarked, back := 0, false
	for _, a := range addrs {
		hash := hashAddrPort(a)
		why, until := l.standingOf(now, hash)
		if back = hash == l.retry.dest; back {
			chosen = a
			break
		}
		if why == free {
			if unmarked++; l.rng.below(time.Duration(unmarked)) == 0 {
				chosen = a
			}
		} else if r := rank(why, until); !lesser.IsValid() || r < least {
			lesser, least = a, r
		}
	}
	if unmarked == 0 && !back {
		chosen = lesser
	}
	l.retry.dest = 0
	c.dest, c.others = hashAddrPort(chosen), 0
	for _, a := range addrs {
		if hash := hashAddrPort(a); hash != c.dest {
			why, _ := l.standingOf(now, hash)
			c.others = c.others.with(why)
		}
	}
	return chosen
}

func hashAddrPort(a netip.AddrPort) uint32 {
	var text [64]byte
	return hashAddress(a.AppendTo(text[:0]))
}

// blame penalises where an attempt or a session led to: an address, and the endpoint too if it
// was the last one that could be tried.
func (l *Link) blame(now time.Duration, c *conn, why standing) {
	endpoint := hashAddress(c.addr.String())
	if c.dest != 0 && c.dest != endpoint {
		l.penalise(now, c.dest, why)
		others := l.others(now, c)
		if others.has(free) {
			return
		}
		others = others.beyond(why)
		if why == refused {
			others = others.beyond(astray) // which answer nobody
		}
		if others != 0 {
			why = failed // some of its addresses for one reason, some for another
		}
	}
	l.penalise(now, endpoint, why)
}

// acquit forgets what was held against the endpoint and the address of a session.
func (l *Link) acquit(c *conn) {
	endpoint := hashAddress(c.addr.String())
	l.forget(func(p penalty) bool { return p.hash == endpoint || p.hash == c.dest })
}

// others is what to think now of the other addresses of a connection's name. Those that were
// avoided for a fault when it was made are not any more once a penalty's time has passed.
func (l *Link) others(now time.Duration, c *conn) standings {
	if c.state == StateReady && c.others.has(failed) && now-l.readyAt > penaltyTime+l.terms.Window {
		return c.others.beyond(failed).with(free)
	}
	return c.others
}

// again reports whether what the end of an attempt says of its destination leads to another
// one at once, and whether that is one of the same name.
func (l *Link) again(now time.Duration, c *conn, why standing, b *backoff) (again, sameName bool) {
	switch {
	case why == free || c.state > StateConnecting || b.hops >= maxHops:
		return false, false
	case c.others.has(free), why == astray && c.others.beyond(astray) != 0:
		return true, true
	case why != astray:
		return false, false
	case c == l.current():
		return !l.allAstray(now), false
	default:
		return !l.alone(now), false
	}
}
