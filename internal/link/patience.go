package link

import "time"

// maxPatience is how often in a row a timeout doubles the next one: 5 s become 10, 20, 40 s.
const maxPatience = 3

// patience counts the timeouts in a row. A server that is slower than its clients are
// patient serves each of them in vain: whoever is served has given up, and waits at the end
// of the same queue again, for ever. So who waited in vain waits longer the next time, until
// the queue is shorter than the patience.
type patience struct{ connects, welcomes uint8 }

// connectTimeout is that of the attempt under way, or else of the next.
func (l *Link) connectTimeout() time.Duration {
	return l.grown(l.cfg.ConnectTimeout, l.patience.connects)
}

// welcomeTimeout is that of the attempt under way, or else of the next.
func (l *Link) welcomeTimeout() time.Duration {
	return l.grown(l.cfg.WelcomeTimeout, l.patience.welcomes)
}

// grown doubles d after each timeout, for the policies that are ours: those that are here to
// be compared have a fixed patience, as where they come from.
func (l *Link) grown(d time.Duration, timeouts uint8) time.Duration {
	if p := l.cfg.Policy; p != Window && p != Full {
		return d
	}
	return min(d<<timeouts, maxWait)
}

// wasted notes how an attempt ended. What timed out while this side's network changed says
// nothing about the server.
func (p *patience) wasted(why *loss) {
	switch {
	case why.fault != FaultPeer:
	case why.reason == ConnectTimeout:
		p.connects = min(p.connects+1, maxPatience)
	case why.reason == WelcomeTimeout:
		p.welcomes = min(p.welcomes+1, maxPatience)
	}
}
