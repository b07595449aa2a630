package server

import "github.com/stormwheel/stormwheel/internal/reactor"

// Peer is the process at the other end of a unix socket, as the kernel knew it when it connected: a
// process that hands its connection on, or gives up rights, is still called so.
type Peer struct {
	PID int    // 0: it is in another PID namespace, or the system does not tell
	UID uint32 // its effective user
	GID uint32 // its effective group
}

// Peer returns who is at the other end of a unix socket; ok is false for all other sessions. Behind
// a proxy it is the proxy.
func (s *Session) Peer() (p Peer, ok bool) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		if peer := s.app.peer(slot); peer != nil {
			p, ok = *peer, true
		}
	}
	return p, ok
}

// peer is who is at the other end of a unix socket, nil of any other.
func (l *loop) peer(slot reactor.Slot) *Peer {
	p, is := l.peers[slot]
	if !is {
		return nil
	}
	own := p // else TCP would pay for it, too
	return &own
}

// plainCarrier is what carries frames that are in nothing else.
func (l *loop) plainCarrier(slot reactor.Slot) Transport {
	if _, is := l.peers[slot]; is {
		return TransportUnix
	}
	return TransportTCP
}
