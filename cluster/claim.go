package cluster

import (
	"sync"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/peer"
	"github.com/stormwheel/stormwheel/server"
)

// Stamp numbers a login that Opened is to claim in a moment: it is greater than all that this node has given or heard, and
// than after, which is what the client knows of. It is for server.Handler.Stamp. 0: the node is closed.
func (n *Node) Stamp(after uint64) (stamp uint64) {
	_ = n.local(func(now peer.Now, _ *peer.Out) { stamp = n.machine.Stamp(now, after) })
	return stamp
}

// Opened claims a login of this node: all nodes are told within about a millisecond. l.Stamp is what Stamp has said, or
// 0: then it is given one. It returns the stamp. It is what Wrap does, for an embedder without it; called from
// server.Handler.Opened.
func (n *Node) Opened(l Login, ref server.Ref) (stamp uint64) {
	name := ref.SessionID()
	n.epoch.Store(name.Epoch)
	_ = n.local(func(now peer.Now, out *peer.Out) { // what the Bus does not take is asked for
		stamp = n.machine.Open(now, peer.Session{ID: l.ID, User: l.User, Incarnation: l.Incarnation, Attempt: l.Attempt, Stamp: l.Stamp, Handle: name.Handle}, out)
	})
	return stamp
}

// Closed tells that the session has ended which Opened gave that stamp.
func (n *Node) Closed(id string, stamp uint64) {
	_ = n.local(func(now peer.Now, out *peer.Out) { n.machine.Close(now, id, stamp, out) })
}

// refOf names a session of this node by what Opened told of it.
func (n *Node) refOf(handle uint64) server.Ref {
	return n.srv.Ref(codec.SessionID{Epoch: n.epoch.Load(), Handle: handle})
}

// wrapped are the stamps of sessions that Wrap claims.
type wrapped struct {
	mu     sync.Mutex
	stamps map[uint64]uint64 // by handle
}

// Wrap returns h with the sessions of its server claimed and released, for an embedder without messaging.Hub, which does that
// itself.
func (n *Node) Wrap(h server.Handler) server.Handler {
	opened, closed := h.Opened, h.Closed
	h.Stamp = n.Stamp
	n.claims.stamps = make(map[uint64]uint64)
	h.Opened = func(s *server.Session) {
		ref := s.Ref()
		stamp := n.Opened(Login{ID: s.ID(), User: s.User(), Incarnation: s.Incarnation(), Attempt: s.Attempt(), Stamp: s.Stamp()}, ref)
		n.claims.mu.Lock()
		n.claims.stamps[ref.SessionID().Handle] = stamp
		n.claims.mu.Unlock()
		if opened != nil {
			opened(s)
		}
	}
	h.Closed = func(s *server.Session, why server.Reason) {
		handle := s.Ref().SessionID().Handle
		n.claims.mu.Lock()
		stamp, ok := n.claims.stamps[handle]
		delete(n.claims.stamps, handle)
		n.claims.mu.Unlock()
		if ok {
			n.Closed(s.ID(), stamp)
		}
		if closed != nil {
			closed(s, why)
		}
	}
	return h
}
