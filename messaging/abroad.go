package messaging

import (
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// In a cluster each room has a home, by its name and the nodes that live, which alone gives offsets. A node with
// members follows it: it has the same epoch, head and ring, publishes to its own members what the home says, and
// lets them recover from its own ring. What was lost on the way it sees by an offset that jumps, or by the heads
// that homes tell, and fetches. Another home is another epoch, of which members are told once, as of a gap.
//
// A node knows a room as long as it has members of it, or is its home. Nodes that do not see each other have a
// home each; when they meet again, the one that is none any more says so, and the other begins anew if it has
// given offsets at the same time.

// abroad is what a room is in a cluster. Guarded by the room's lock.
type abroad struct {
	version uint64        // of the view, as of which the rest is
	home    string        // the node that gives offsets
	life    uint64        // of that node
	ready   bool          // as home: an epoch has begun; otherwise: what is here is what the home had
	opened  uint64        // as home: the view's count when the epoch began
	was     bool          // it gave offsets before the home did, which the home does not know
	spoke   bool          // as home: this node, or another that said so, gave offsets in an epoch before, in which not all were heard
	token   uint64        // of the question to the home that is not answered; 0: there is none
	joins   []*asked      // that wait until it is ready
	let     time.Duration // when the last of them were told to go on, which takes them a moment; 0: none was
	gap     bool          // members are to be told of one, and the server had no room for that

	others  int            // members at other nodes, as far as is known
	told    int            // how many the home was told of
	toldTo  map[string]int // as home: what nodes were told
	counts  map[string]int // as home: members by node
	recount bool           // it is among the hub's recounts

	followers []string // as home: nodes with members
	pause     int      // as home: seconds between the last two tellings of the head; 0: it is not told
	left      int      // seconds until it is told
}

const maxPause = 32 // seconds after the last message for which the head is told once more

// isHome tells whether this node gives the room's offsets now. With the room's lock held.
func (r *room) isHome(h *Hub) bool { return r.far == nil || r.far.ready && r.far.home == h.self }

// isReady tells whether members can be told where the room is. With the room's lock held.
func (r *room) isReady() bool { return r.far == nil || r.far.ready }

// lookAt finds out which node is the room's home, if that may have changed. With the room's lock held.
func (h *Hub) lookAt(r *room) {
	f := r.far
	if f == nil {
		return
	}
	if v := h.view.version.Load(); f.version != v {
		first := f.version == 0
		f.version = v
		home := h.cfg.Peers.Home(r.name)
		if life := h.view.life(home); first || home != f.home || life != f.life {
			h.moved(r, home, life)
		}
	}
	if f.home == h.self && !f.ready {
		h.open(r)
	}
}

// moved has the room have another home. With its lock held.
func (h *Hub) moved(r *room, home string, life uint64) {
	f := r.far
	if f.home == h.self && f.ready && (r.head > 0 || f.spoke) {
		f.was = true
	}
	f.home, f.life = home, life
	f.ready, f.token, f.followers, f.pause = false, 0, nil, 0
	f.others, f.told, f.counts, f.toldTo = 0, 0, nil, nil
	h.recount(r)
	if home != h.self && (r.members > 0 || len(f.joins) > 0 || f.was) {
		h.fetch(r)
	}
}

// open begins an epoch as home, once all live nodes know that this one is it. With the room's lock held.
func (h *Hub) open(r *room) {
	if !h.view.settled(h.since()) {
		h.fetches.add(r) // for another look
		return
	}
	h.begin(r)
}

// begin begins an epoch as home. With the room's lock held.
func (h *Hub) begin(r *room) {
	f := r.far
	f.spoke = f.spoke || f.was
	f.ready, f.opened, f.was, f.token = true, h.view.next(), false, 0
	r.reset(randomNumber(), 0)
	h.tellGap(r)
	h.letJoin(r, false)
}

// reset has the room be at another place, with nothing in its ring. With its lock held.
func (r *room) reset(epoch, head uint64) {
	r.epoch, r.head, r.ring, r.bytes = epoch, head, nil, 0
}

// tellGap tells members that the room is elsewhere than they believe. With its lock held.
func (h *Hub) tellGap(r *room) {
	r.far.gap = false
	if r.members > 0 && h.srv.Load().Publish(membersOf(r.name), r.gap()) != nil { // a slow member has Handler.Missed
		h.oweGap(r)
	}
}

// oweGap has members told of a gap as soon as that can be. With the room's lock held.
func (h *Hub) oweGap(r *room) {
	r.far.gap = true
	h.fetches.add(r)
}

// letJoin has those who wait for the room join it: all, or those who have waited for long enough. With its
// lock held.
func (h *Hub) letJoin(r *room, late bool) {
	f := r.far
	now := h.since()
	f.joins = slices.DeleteFunc(f.joins, func(a *asked) bool {
		if late && now-a.began < joinTime {
			return false
		}
		if !h.goOn(a) {
			return false
		}
		f.let = max(now, 1)
		h.fetches.add(r)
		return true
	})
	if len(f.joins) == 0 {
		f.joins = nil
	}
}

// letTime is how long a room is kept for joins that were told to go on.
const letTime = time.Second

// joinTime bounds how long a join waits for the room's home. Then its client is told that it missed something,
// with what is known, and told once more when the home is known.
const joinTime = 2 * time.Second

// lookAtAll looks at all rooms: the view has changed.
func (h *Hub) lookAtAll() {
	live := h.cfg.Peers.Live()
	for _, r := range h.allRooms() {
		r.mu.Lock()
		if !r.dead {
			h.lookAt(r)
			h.recount(r)
			r.far.followers = slices.DeleteFunc(r.far.followers, func(node string) bool { return !slices.Contains(live, node) })
		}
		r.mu.Unlock()
		h.dropIdle(r)
	}
}

// allRooms are those of the moment.
func (h *Hub) allRooms() (all []*room) {
	for i := range h.rooms {
		sh := &h.rooms[i]
		sh.mu.Lock()
		for _, r := range sh.rooms {
			all = append(all, r)
		}
		sh.mu.Unlock()
	}
	return all
}

// dropIdle forgets a room that this node has no more to do with: its home keeps it.
func (h *Hub) dropIdle(r *room) {
	if r.far == nil {
		return
	}
	sh := h.roomShard(r.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.far
	if r.dead || f.home == h.self || r.members > 0 || len(f.joins) > 0 || f.was || f.let != 0 {
		return
	}
	h.forgetRoom(sh, r)
	_ = h.tellPeer(f.home, &between.Message{Kind: between.Left, Room: []byte(r.name)})
}

// position is a place in the room.
func (r *room) position() envelope.Position { return envelope.Position{Epoch: r.epoch, Offset: r.head} }
