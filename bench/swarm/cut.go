package swarm

import (
	"errors"

	"github.com/stormwheel/stormwheel/bench/epoll"
)

// errCut is the cause of a loss that the scenario brought about.
var errCut = errors.New("the scenario cut it")

// Cut ends up to count of the sessions on an endpoint, or on any if it is "", as a network
// does that fails. silent of the n were ended without a word to the server. The choice is the
// seed's.
func (s *Swarm) Cut(endpoint string, count int) (n, silent int) {
	type cuts struct{ n, silent int }
	results := make(chan cuts, len(s.loops))
	shares := s.shares(pick(s.speaking(endpoint), count, s.cfg.Seed))
	s.eachLoop(func(l *loop) {
		var done cuts
		for _, i := range shares[l.index] {
			cut, silent := l.cut(i)
			if cut {
				done.n++
			}
			if silent {
				done.silent++
			}
		}
		l.publish()
		results <- done
	})
	for range s.loops {
		done := <-results
		n, silent = n+done.n, silent+done.silent
	}
	return n, silent
}

// cut ends a ready client's connection under it. To the client that is a loss of which it
// does not know the cause.
func (l *loop) cut(i uint32) (cut, silent bool) {
	c := &l.clients[i]
	if !c.ready() || c.flags.has(flagMute) || l.second[i] != nil {
		return false, false
	}
	attempt := c.attempt
	l.forget(i, &c.socket)
	silent = epoll.Vanish(int(c.fd))
	c.link.Disconnected(l.now, attempt, errCut, &l.out)
	l.perform(i, c)
	return true, silent
}
