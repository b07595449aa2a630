package swarm

import (
	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/internal/link"
)

func (l *loop) write(i uint32, c *client, a *link.Action) {
	s := l.find(i, c, a.Attempt)
	if s == nil {
		return
	}
	b := l.sealed(s, l.toServer(a))
	if len(b) == 0 {
		return
	}
	l.wroteAt = l.now
	if c.flags.has(flagTrickle) && l.slowly(i, c, a.Attempt, b) {
		return
	}
	key := connKey{i, a.Attempt}
	if rest, waiting := l.unsent[key]; waiting {
		l.unsent[key] = append(rest, b...)
		return
	}
	l.send(i, c, s, b, true)
}

// flush goes on with what the socket did not take before.
func (l *loop) flush(i uint32, c *client, s *socket) {
	if rest, waiting := l.unsent[connKey{i, s.attempt}]; waiting {
		l.send(i, c, s, rest, false)
		l.perform(i, c)
	}
}

// send writes and asks for EPOLLOUT only while something is left. What was written is
// noted when it is complete.
func (l *loop) send(i uint32, c *client, s *socket, b []byte, first bool) {
	start := l.swarm.Now()
	n, _, err := epoll.Write(int(s.fd), b)
	l.wroteAt, l.now = start, l.swarm.Now()
	key := connKey{i, s.attempt}
	switch {
	case err != nil:
	case n < len(b):
		l.unsent[key] = append([]byte(nil), b[n:]...)
		if first {
			err = l.pollerOf(i).Watch(int(s.fd), i, s.attempt, true, false)
		}
	default:
		s.last.wrote(start, l.now, c.link.Info().Terms.Timeout, c.answeredLate())
		if !first {
			delete(l.unsent, key)
			err = l.pollerOf(i).Watch(int(s.fd), i, s.attempt, false, false)
		}
	}
	if err != nil {
		l.after = append(l.after, followUp{kind: writeFailed, attempt: s.attempt, err: err})
	}
}

// tellFlow tells a client's link what it asks for before a Tick: a system call, where a PONG
// is late. A trickler's link is not told how slow it is: it would say PING without end.
func (l *loop) tellFlow(i uint32, c *client, s *socket) {
	if c.flags.has(flagTrickle) || !c.link.Asks(l.now, s.attempt) {
		return
	}
	key := connKey{i, s.attempt}
	c.link.Flow(l.now, s.attempt, link.Flow{Untaken: epoll.Untaken(int(s.fd)) + len(l.unsent[key]), Partial: len(l.partial[key].b)})
}
