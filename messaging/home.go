package messaging

import (
	"slices"
	"sync"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// What a room's home is asked by other nodes, and tells them.

func init() {
	hears[between.Say] = (*Hub).sayCame
	hears[between.Fetch] = (*Hub).fetchCame
	hears[between.Left] = (*Hub).leftElsewhere
}

// sayCame says what another node's client, or its back end, wants to be said.
func (h *Hub) sayCame(node string, m *between.Message) {
	answer := between.Message{Kind: between.Taken, Token: m.Token}
	at, ready, why := h.sayHere(string(m.Room), m.Body)
	switch {
	case why != nil:
		answer.Result, answer.Code, answer.Reason = between.No, uint64(why.Code), []byte(why.Reason)
	case !ready:
		answer.Result = between.Later
	default:
		answer.Epoch, answer.Offset = at.Epoch, at.Offset
	}
	_ = h.tellPeer(node, &answer) // if it is gone it asks the next home
}

// sayHere says something, an envelope of kind message, if this node is the room's home and ready.
func (h *Hub) sayHere(name string, body []byte) (at envelope.Position, ready bool, why *Refusal) {
	e, err := envelope.Parse(body)
	if err != nil || e.Kind != envelope.Message || !ValidName(name) {
		return at, true, refuseMalformed
	}
	if h.cfg.Peers.Home(name) != h.self {
		return at, false, nil
	}
	r := h.room(name, true)
	if r == nil {
		return at, true, refuseBusy
	}
	defer r.mu.Unlock()
	if h.lookAt(r); !r.isHome(h) {
		return at, false, nil
	}
	at, err = r.say(h, plainID(e.ID), &e)
	why, _ = err.(*Refusal)
	return at, err != errEnding, why
}

// fetchCame tells a node what it does not know of a room. From now on it follows it, if it says so.
func (h *Hub) fetchCame(node string, m *between.Message) {
	answer := between.Message{Kind: between.Ring, Token: m.Token, Room: m.Room, Result: between.Later}
	name := string(m.Room)
	if ValidName(name) && h.cfg.Peers.Home(name) == h.self {
		if r := h.room(name, true); r != nil {
			if h.lookAt(r); r.isHome(h) {
				h.ring(r, node, m, &answer)
			}
			r.mu.Unlock()
		}
	}
	_ = h.tellPeer(node, &answer)
}

// ring fills the answer to a FETCH. With the room's lock held.
func (h *Hub) ring(r *room, node string, m, answer *between.Message) {
	f := r.far
	if m.Result&between.Was != 0 && f.opened < h.view.sees(node) {
		f.spoke = true // and the home of more nodes than meet here has to know it
		h.begin(r)     // both gave offsets, and nobody has heard all
		h.headChanged(r)
		h.tellHead(r)
	}
	if m.Result&between.Follows != 0 && !slices.Contains(f.followers, node) {
		f.followers = append(f.followers, node)
	}
	answer.Members = uint64(r.members + f.elsewhere(node))
	delete(f.toldTo, node) // what it is told later may be old beside that
	answer.Result, answer.Epoch, answer.Offset = 0, r.epoch, r.head
	all, ok := r.missed(envelope.Position{Epoch: m.Epoch, Offset: m.Offset})
	if !ok {
		all = r.ring
	}
	size, first := 0, len(all)
	for first > 0 && size+len(all[first-1].body) < maxRing {
		first--
		size += len(all[first].body)
	}
	answer.List = make([]byte, 0, size+4*len(all))
	for _, s := range all[first:] {
		answer.List = between.AppendName(answer.List, string(s.body))
	}
}

// maxRing bounds the publications in an answer, in bytes: what is older is missed.
const maxRing = 512 << 10

// leftElsewhere notes that another node has no members of a room any more.
func (h *Hub) leftElsewhere(node string, m *between.Message) {
	if r := h.room(string(m.Room), false); r != nil {
		r.far.followers = slices.DeleteFunc(r.far.followers, func(n string) bool { return n == node })
		h.recount(r)
		r.mu.Unlock()
	}
}

// heads are the rooms whose latest offset is told to all once a second, and some more times when they have fallen
// silent: a publication may be lost on the way, and so may that. Its lock may be taken with that of a room held.
type heads struct {
	mu    sync.Mutex
	rooms []*room
}

// headChanged has the head of a room be told. With the room's lock held.
func (h *Hub) headChanged(r *room) {
	f := r.far
	if f.pause == 0 {
		h.heads.mu.Lock()
		h.heads.rooms = append(h.heads.rooms, r)
		h.heads.mu.Unlock()
	}
	f.pause, f.left = 1, 1
}

// maxHeads is how many bytes of heads are told at once.
const maxHeads = 32 << 10

// tellHeads is called once a second.
func (h *Hub) tellHeads() {
	h.heads.mu.Lock()
	rooms := h.heads.rooms
	h.heads.rooms = nil
	h.heads.mu.Unlock()
	var list []byte
	kept := rooms[:0]
	for _, r := range rooms {
		r.mu.Lock()
		f := r.far
		if r.dead || f.home != h.self || f.pause == 0 {
			f.pause = 0
			r.mu.Unlock()
			continue
		}
		if f.left--; f.left <= 0 {
			list = between.AppendHead(list, r.name, r.epoch, r.head)
			f.pause *= 2
			f.left = f.pause
		}
		if f.pause > maxPause {
			f.pause = 0
		} else {
			kept = append(kept, r)
		}
		r.mu.Unlock()
		if len(list) > maxHeads {
			_ = h.tellAll(&between.Message{Kind: between.Heads, List: list})
			list = nil
		}
	}
	if len(list) > 0 {
		_ = h.tellAll(&between.Message{Kind: between.Heads, List: list})
	}
	h.heads.mu.Lock()
	h.heads.rooms = append(h.heads.rooms, kept...)
	h.heads.mu.Unlock()
}

// tellHead tells all nodes at once where a room is. With its lock held.
func (h *Hub) tellHead(r *room) {
	_ = h.tellAll(&between.Message{Kind: between.Heads, List: between.AppendHead(nil, r.name, r.epoch, r.head)})
}
