package server

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
