package messaging

import (
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// Who joins a room is told how many are in it, on all nodes. Each node tells the room's home how many members it has, and the
// home tells each of them how many the others have, a second at most after that has changed.

// recounts are the rooms whose members have changed, of which others are to be told. Its lock may be taken with that of a room held.
type recounts struct {
	mu    sync.Mutex
	rooms []*room
}

// recount has others be told soon how many are in a room. With its lock held.
func (h *Hub) recount(r *room) {
	if r.far == nil || r.far.recount {
		return
	}
	r.far.recount = true
	h.recounts.mu.Lock()
	h.recounts.rooms = append(h.recounts.rooms, r)
	h.recounts.mu.Unlock()
}

// tellMembers is called once a second.
func (h *Hub) tellMembers() {
	h.recounts.mu.Lock()
	rooms := h.recounts.rooms
	h.recounts.rooms = nil
	h.recounts.mu.Unlock()
	for _, r := range rooms {
		r.mu.Lock()
		if r.far.recount = false; !r.dead {
			h.tellMembersOf(r)
		}
		r.mu.Unlock()
	}
}

// tellMembersOf tells of one room. With its lock held.
func (h *Hub) tellMembersOf(r *room) {
	f := r.far
	h.lookAt(r)
	switch {
	case !f.ready:
		if r.members > 0 {
			h.recount(r)
		}
	case f.home != h.self:
		m := between.Message{Kind: between.Members, Room: []byte(r.name), Members: uint64(r.members)}
		if f.told == r.members {
			return
		}
		if h.tellPeer(f.home, &m) != nil {
			h.recount(r)
			return
		}
		f.told = r.members
	default:
		gone := func(node string, _ int) bool { return !slices.Contains(f.followers, node) }
		maps.DeleteFunc(f.counts, gone)
		maps.DeleteFunc(f.toldTo, gone)
		f.others = f.elsewhere("")
		for _, node := range f.followers {
			n := r.members + f.elsewhere(node)
			if told, any := f.toldTo[node]; any && told == n {
				continue
			}
			if h.tellPeer(node, &between.Message{Kind: between.Members, Room: []byte(r.name), Members: uint64(n)}) != nil {
				h.recount(r)
				continue
			}
			if f.toldTo == nil {
				f.toldTo = make(map[string]int)
			}
			f.toldTo[node] = n
		}
	}
}

// elsewhere is, as home, how many members other nodes than this one and another have.
func (f *abroad) elsewhere(other string) (n int) {
	for node, count := range f.counts {
		if node != other {
			n += count
		}
	}
	return n
}

func init() { hears[between.Members] = (*Hub).membersCame }

// membersCame takes how many members a node has, or, from the room's home, all others.
func (h *Hub) membersCame(node string, m *between.Message) {
	r := h.room(string(m.Room), false)
	if r == nil {
		return
	}
	defer r.mu.Unlock()
	h.lookAt(r)
	f, n := r.far, countOf(m)
	switch {
	case f.home == node:
		f.others = n
	case f.home == h.self && slices.Contains(f.followers, node):
		if f.counts == nil {
			f.counts = make(map[string]int)
		}
		f.counts[node] = n
		h.recount(r)
	}
}

func countOf(m *between.Message) int { return int(min(m.Members, math.MaxInt32)) }
