package link

import "time"

// probeTime is how long a session may be silent after the network changed. The pong
// timeout has to outlast a server's bad moment; here the question is whether this
// connection still leads anywhere. If its address is gone nothing will ever come, and a
// new connection is the only way back; if it is not, the answer takes a round trip.
const probeTime = time.Second

// NetworkChanged says that the path to the server may be another one now (Wi-Fi came or
// went, the machine woke). A session is probed at once with a PING that has a second for
// its answer, or two of the latest round trips if they are longer. Whatever ends the
// session before something complete came is local: the next attempt is within a second,
// at any endpoint. To repeat the call does not put that off.
//
// An attempt keeps its time, but its endpoint is not blamed if that runs out. A wait that
// the link chose itself is cut to a second at most.
func (l *Link) NetworkChanged(now time.Duration, out *Out) {
	probed := l.current().doubted
	for i := range l.conns {
		c := &l.conns[i]
		c.doubted = c.attempt != 0
	}
	switch l.State() {
	case StateReady:
		if !probed {
			l.ping(now, now, l.current(), nil, out)
		}
	case StateBackingOff:
		at := now + l.rng.below(localSpread)
		if l.retry.ordered || at >= l.retry.at {
			return
		}
		l.retry.at = at
		out.notify(Event{Kind: RetryAt, At: at})
	}
}

// pongTimeout is how long the session's server may take to answer a PING. Its patience is
// the least: a server that is slow says so in time, and loses nobody who has heard it.
func (l *Link) pongTimeout() time.Duration {
	d := max(l.cfg.PongTimeout, min(l.terms.Patience, maxPongTimeout))
	if l.current().doubted {
		return min(max(probeTime, 2*l.heartbeat.rtt), d) // no other client is in doubt with it
	}
	return d
}
