package messaging

import (
	"slices"
	"sync"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/server"
)

// stamps are those of logins here: milliseconds in the upper 48 bits, and each greater than all before, here and as far as it is
// known elsewhere. In a cluster a login has its stamp before it is welcomed, and is one of a user's sessions a
// moment later. Meanwhile the next may be through: so what others are told of a user is told as of a stamp below
// all that are not through. Its lock may be taken with any other held.
type stamps struct {
	mu     sync.Mutex
	latest uint64
	early  []uint64 // given, and not through
}

// begin makes server.Handler.Stamp.
func (s *stamps) begin(peers interface{ Stamp(after uint64) uint64 }) func(after uint64) uint64 {
	return func(after uint64) uint64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		stamp := peers.Stamp(after)
		if stamp != 0 { // this node has ended, and nobody would say that the login is through
			s.early = append(s.early, stamp)
		}
		return stamp
	}
}

// end notes that a login is through, or never will be: server.Handler.Unstamp.
func (s *stamps) end(stamp uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = max(s.latest, stamp)
	if i := slices.Index(s.early, stamp); i >= 0 {
		s.early = slices.Delete(s.early, i, i+1)
	}
}

// asOf is a stamp: all logins here that have no greater one are through.
func (s *stamps) asOf() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.early) > 0 {
		return min(s.latest, slices.Min(s.early)-1)
	}
	return s.latest
}

// next is one for a node without others, where a login has it only now.
func (s *stamps) next(wall uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = max(wall<<16, s.latest+1<<16)
	return s.latest
}

// claim tells of a login, and returns its stamp. With the lock held of the shard of its user, who has it when that is given
// back: what others are told of him as of a stamp is then all that have no greater one.
func (h *Hub) claim(s *server.Session, d *device) uint64 {
	if h.cfg.Peers == nil {
		return h.stamps.next(uint64(h.wall().UnixMilli()))
	}
	l := cluster.Login{ID: d.id, User: s.User(), Incarnation: d.incarnation, Attempt: s.Attempt(), Stamp: s.Stamp()}
	stamp := h.cfg.Peers.Opened(l, d.ref)
	h.stamps.end(max(stamp, l.Stamp))
	return stamp
}
