package messaging

import (
	"errors"
	"sync"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// What hubs say to each other goes by streams, one between each two nodes: it comes once and in order, or the
// other end is gone. What is said to all by tellAll may be lost.

// streams are a hub's, by node. One lives from when its node is first seen or heard, and begins anew when it is lost.
type streams struct {
	mu sync.RWMutex // guards of; each stream has a lock of its own
	of map[string]*stream

	heard between.Message // by heard, which is called once at a time
}

// stream is what was said to a node, and heard of it. Its lock is held while something is sent, so that the order
// on the bus is that of the numbers; any other lock of the hub's may be held with it, and none is taken then.
type stream struct {
	mu   sync.Mutex
	up   bool
	lost bool // it was up, and is not
	odd  bool // it was logged that it says what cannot be read
	s    *between.Stream
}

// hears says who in the hub has to do with what another node says, by kind. It is called on the cluster's
// goroutine and must not block; m is valid until it returns. Kinds of streams have nobody, and nor have those
// that this version does not know.
var hears = map[between.Kind]func(h *Hub, node string, m *between.Message){
	between.Locate: (*Hub).locateHere, between.Located: (*Hub).locatedThere,
	between.Kick: (*Hub).kickedHere, between.Kicked: (*Hub).answeredThere,
	between.Hand: (*Hub).handedHere, between.Handed: (*Hub).answeredThere,
	between.Push: (*Hub).pushedHere, between.Outcome: (*Hub).outcomeThere,
}

// peerHandler is the hub's side of a cluster.
func (h *Hub) peerHandler() cluster.Handler {
	return cluster.Handler{Up: h.peerUp, Down: h.peerDown, Login: h.loggedIn, Logout: h.loggedOut, Known: h.homeKnows, Message: h.heard}
}

// stream returns a node's, made if need be.
func (h *Hub) stream(node string) *stream {
	h.streams.mu.RLock()
	k := h.streams.of[node]
	h.streams.mu.RUnlock()
	if k != nil {
		return k
	}
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	if k = h.streams.of[node]; k == nil {
		h.streams.bound()
		k = &stream{s: between.NewStream(randomNumber())}
		if h.streams.of == nil {
			h.streams.of = make(map[string]*stream)
		}
		h.streams.of[node] = k
	}
	return k
}

// maxStreams is how many nodes are known, those that are lost included, before one of these is forgotten: what came
// on its stream is then not known any more, should it not have lost this node.
const maxStreams = 1024

// bound has room for one more, if there is a stream that is lost. With the lock held.
func (l *streams) bound() {
	if len(l.of) < maxStreams {
		return
	}
	for node, k := range l.of {
		k.mu.Lock()
		lost := k.lost
		k.mu.Unlock()
		if lost {
			delete(l.of, node)
			return
		}
	}
}

// allStreams are those of the moment.
func (h *Hub) allStreams() map[string]*stream {
	h.streams.mu.RLock()
	defer h.streams.mu.RUnlock()
	all := make(map[string]*stream, len(h.streams.of))
	for node, k := range h.streams.of {
		all[node] = k
	}
	return all
}

// tellPeer says something to another node's hub, from any goroutine and with any lock held. Nil: it comes
// there, once and in the order of such calls, unless the node goes Down or this one is thought to have: both
// are told, to here and to there. Errors: cluster.ErrUnknownNode, cluster.ErrTooBig, and between.ErrFull.
func (h *Hub) tellPeer(node string, m *between.Message) error {
	k := h.stream(node)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.up {
		return cluster.ErrUnknownNode
	}
	frame, err := k.s.Send(m)
	if err != nil {
		return err
	}
	if err := h.cfg.Peers.Send(node, frame); errors.Is(err, cluster.ErrTooBig) {
		k.s.TakeBack()
		return err
	}
	return nil // what is lost is said again
}

// tellAll says something to the hubs of all other live nodes, at most once.
func (h *Hub) tellAll(m *between.Message) error {
	m.Stream, m.Number, m.AckStream, m.Acked, m.Again = 0, 0, 0, 0, 0
	return h.cfg.Peers.SendAll(between.Append(nil, m))
}

// heard is cluster.Handler.Message.
func (h *Hub) heard(node string, body []byte) {
	m, err := &h.streams.heard, error(nil)
	*m, err = between.Parse(body)
	k := h.stream(node)
	k.mu.Lock()
	if err != nil {
		first := !k.odd
		k.odd = true
		k.mu.Unlock()
		if first {
			h.cfg.Logger.Warn("another node's hub says what cannot be read: is it of another version?", "from", node, "error", err)
		}
		return
	}
	if m.Number != 0 && !k.lost {
		k.up = true // it knows this node, which knows it a moment later
	}
	v, say := k.s.Take(m)
	for _, frame := range say {
		_ = h.cfg.Peers.Send(node, frame)
	}
	k.mu.Unlock()
	if v == between.Drop {
		return
	}
	if v == between.Anew || m.Kind == between.Hail && m.Result&between.HadLost != 0 { // all of its last stream may be lost
		h.peerForgot(node)
	}
	if do := hears[m.Kind]; do != nil {
		do(h, node, m)
	}
}

// peerUp is cluster.Handler.Up.
func (h *Hub) peerUp(node string) {
	h.seesNode(node) // before it is hailed: from then on what is its is not this node's
	k := h.stream(node)
	k.mu.Lock()
	hail := between.Message{Kind: between.Hail}
	if k.lost {
		hail.Result = between.HadLost
	}
	k.up, k.lost = true, false
	if frame, err := k.s.Send(&hail); err == nil { // before anything else
		_ = h.cfg.Peers.Send(node, frame)
	}
	k.mu.Unlock()
	for i := range h.shards {
		h.shards[i].peerUp(node)
	}
	wake(h.look)
	h.lookAgain(node)
}

// peerDown is cluster.Handler.Down.
func (h *Hub) peerDown(node string) {
	defer h.losesNode(node)
	k := h.stream(node)
	k.mu.Lock()
	k.up, k.lost, k.odd = false, true, false
	k.s.Begin(randomNumber())
	k.mu.Unlock()
	for i := range h.shards {
		h.shards[i].peerDown(node)
		h.shards[i].othersGone(node)
	}
	h.looksWithout(node)
}

// peerForgot is told when a node has had this one for lost without its being so: what it was asked and has not
// answered it will not answer.
func (h *Hub) peerForgot(node string) {
	h.seesNode(node)
	h.view.seenBy(node) // it is back: what it asks from now on it asks as one that sees this node
	for i := range h.shards {
		h.shards[i].peerForgot(node)
		h.shards[i].othersUntold(node)
	}
	h.lookAgain(node)
}

// loggedIn is cluster.Handler.Login: a client came to another node.
func (h *Hub) loggedIn(node string, l cluster.Login) {
	sh := h.shardOf(l.User)
	sh.loggedIn(node, &l)
	sh.cameElsewhere(node, &l)
}

// loggedOut is cluster.Handler.Logout.
func (h *Hub) loggedOut(node string, l cluster.Login) {
	sh := h.shardOf(l.User)
	sh.loggedOut(node, &l)
	sh.wentElsewhere(node, &l)
}

// tickStreams says again what was lost.
func (h *Hub) tickStreams() {
	for node, k := range h.allStreams() {
		k.mu.Lock()
		if k.up {
			for _, frame := range k.s.Tick() {
				_ = h.cfg.Peers.Send(node, frame)
			}
		}
		k.mu.Unlock()
	}
}
