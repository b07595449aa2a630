package messaging

import (
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// A room's members are a group of the server, and what it says is published there once. The room itself
// is its epoch, its latest offset, and a ring of what it said last.

// roomShard holds a part of the rooms.
type roomShard struct {
	mu    sync.Mutex // guards all below; what is in a room, the room's own lock guards
	rooms map[string]*room
}

// room is guarded by mu, but for its name. While it is held the room says nothing: so what is published
// has the order of the offsets, and nothing comes between a recovery and the membership.
type room struct {
	name string

	mu      sync.Mutex
	epoch   uint64
	head    uint64 // the latest offset
	ring    []said // the last messages, of which the last is that of head
	bytes   int    // of the ring
	members int    // sessions
	silent  time.Duration
	dead    bool // it was forgotten: whoever finds it looks again
}

// said is a message of a room.
type said struct {
	id   ID
	body []byte
}

func membersOf(room string) string { return "r/" + room }

// room returns a room, locked, made if need be and wanted; nil otherwise.
func (h *Hub) room(name string, wanted bool) *room {
	sh := &h.rooms[maphash.String(h.seed, name)%shards]
	for {
		sh.mu.Lock()
		r := sh.rooms[name]
		if r == nil && wanted && h.roomFor(sh) {
			r = &room{name: name, epoch: randomNumber(), silent: h.since()}
			sh.rooms[name] = r
			h.held.Add(1)
		}
		sh.mu.Unlock()
		if r == nil {
			return nil
		}
		r.mu.Lock()
		if !r.dead {
			return r
		}
		r.mu.Unlock()
	}
}

// roomFor makes place for another room, at the cost of the one in its shard that has no members and was
// silent for longest. With the shard's lock held.
func (h *Hub) roomFor(sh *roomShard) bool {
	if h.held.Load() < int64(h.cfg.MaxRoomsTotal) {
		return true
	}
	var oldest *room
	for _, r := range sh.rooms {
		r.mu.Lock()
		if r.members == 0 && (oldest == nil || r.silent < oldest.silent) {
			oldest = r
		}
		r.mu.Unlock()
	}
	if oldest == nil {
		return false
	}
	oldest.mu.Lock()
	defer oldest.mu.Unlock()
	if oldest.members > 0 {
		return false
	}
	oldest.dead = true
	delete(sh.rooms, oldest.name)
	h.held.Add(-1)
	return true
}

// PushRoom sends a message to the members of a room, and returns the place it has there. It is kept in
// memory for those who come back, as long as the room's ring goes. A message whose ID is in the ring has
// the place that it got first.
//
// Errors: ErrName, ErrNotStarted, ErrClosed, and a *Refusal: what is too large, and where the node has
// too many rooms, or too much to send.
func (h *Hub) PushRoom(name string, m Message) (envelope.Position, error) {
	if _, err := h.ready(); err != nil {
		return envelope.Position{}, err
	}
	if !ValidName(name) || m.From != "" && !ValidUser(m.From) {
		return envelope.Position{}, ErrName
	}
	return h.toRoom(name, h.named(m.ID), &envelope.Envelope{User: []byte(m.From), Content: m.Content})
}

func (h *Hub) toRoom(name string, id ID, e *envelope.Envelope) (at envelope.Position, err error) {
	if len(e.Content) > h.cfg.MaxContent {
		return at, refuseLarge
	}
	r := h.room(name, true)
	if r == nil {
		return at, refuseBusy
	}
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.ring, func(s said) bool { return s.id == id }); i >= 0 {
		return envelope.Position{Epoch: r.epoch, Offset: r.offsetOf(i)}, nil
	}
	at = envelope.Position{Epoch: r.epoch, Offset: r.head + 1}
	body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Publication, Room: []byte(name), User: e.User,
		ID: id.envelope(), Position: at, Time: e.Time, Taken: h.wall(), Content: e.Content})
	if err != nil {
		return at, refuseMalformed
	}
	switch err := h.srv.Load().Publish(membersOf(name), body); {
	case errors.Is(err, server.ErrTooBig):
		return at, refuseLarge
	case err != nil:
		return at, refuseBusy
	}
	r.head, r.silent = at.Offset, h.since()
	r.keep(said{id, body}, h.cfg.RingMessages, h.cfg.RingBytes)
	return at, nil
}

// offsetOf is that of a message in the ring.
func (r *room) offsetOf(i int) uint64 { return r.head - uint64(len(r.ring)-1-i) }

// keep has the ring keep a message, and as many of those before as it may.
func (r *room) keep(s said, messages, bytes int) {
	r.ring = append(r.ring, s)
	r.bytes += len(s.body)
	drop := 0
	for ; len(r.ring)-drop > messages || r.bytes > bytes && drop < len(r.ring); drop++ {
		r.bytes -= len(r.ring[drop].body)
		r.ring[drop] = said{}
	}
	r.ring = r.ring[drop:]
}

// missed returns what the room said since a position, and whether that is all.
func (r *room) missed(since envelope.Position) (all []said, ok bool) {
	if since.Epoch != r.epoch || since.Offset > r.head || r.head-since.Offset > uint64(len(r.ring)) {
		return nil, false
	}
	return r.ring[len(r.ring)-int(r.head-since.Offset):], true
}

// join has a session be in a room, and tells it what it missed, or that it missed something. On the
// session's loop.
func (h *Hub) join(s *server.Session, d *device, name string, since envelope.Position) error {
	i := slices.IndexFunc(d.rooms, func(r *room) bool { return r.name == name })
	if i < 0 && !d.user.mayEnter(name) {
		return refuseMany
	}
	r := h.room(name, true)
	if r == nil {
		return refuseBusy
	}
	if i < 0 && h.cfg.MaxMembers > 0 && r.members >= h.cfg.MaxMembers {
		r.mu.Unlock()
		return refuseFullRoom
	}
	err := r.welcome(h, s, since, i < 0)
	if err == nil && i < 0 {
		d.rooms = append(d.rooms, r)
	}
	r.mu.Unlock()
	if err == nil && i < 0 {
		d.user.enters(d, name)
	}
	return err
}

// maxBehind is how many bytes may wait for a session that is told what it missed: beyond, it is told
// that it missed something, or it would be closed as slow.
const maxBehind = 32 << 10

// welcome makes a session a member. With the room's lock held.
func (r *room) welcome(h *Hub, s *server.Session, since envelope.Position, isNew bool) error {
	answer := envelope.Envelope{Kind: envelope.Joined, Room: []byte(r.name), State: envelope.Fresh, Count: uint64(r.members)}
	if isNew {
		answer.Count++
	}
	var missed []said
	answer.Position = envelope.Position{Epoch: r.epoch, Offset: r.head}
	if since != (envelope.Position{}) {
		answer.State = envelope.Missed
		if all, ok := r.missed(since); ok && s.Queued() < maxBehind {
			answer.State, answer.Position, missed = envelope.Recovered, since, all
		}
	}
	body, err := envelope.Append(nil, &answer)
	if err != nil {
		return refuseMalformed
	}
	if err := s.Join(membersOf(r.name)); err != nil {
		return refuseMany
	}
	if isNew {
		r.members++
		h.counts.members.Add(1)
	}
	err = s.Deliver(body)
	for i := 0; err == nil && i < len(missed); i++ {
		err = s.Deliver(missed[i].body)
	}
	if err != nil { // it has no room for what it missed: then it has not missed nothing
		_ = s.Deliver(r.gap())
	}
	return nil
}

// gap tells a member that it missed something. With the room's lock held.
func (r *room) gap() []byte {
	body, _ := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Gap, Room: []byte(r.name),
		Position: envelope.Position{Epoch: r.epoch, Offset: r.head}})
	return body
}

// leave ends a membership. On the session's loop.
func (h *Hub) leave(s *server.Session, d *device, name string) {
	i := slices.IndexFunc(d.rooms, func(r *room) bool { return r.name == name })
	if i < 0 {
		return
	}
	_ = s.Leave(membersOf(name))
	r := d.rooms[i]
	d.rooms = slices.Delete(d.rooms, i, i+1)
	r.lose(h)
	d.user.leaves(d, name, false)
}

// leaveAll ends the memberships of a session that has ended. On its loop.
func (h *Hub) leaveAll(d *device) {
	for _, r := range d.rooms {
		r.lose(h)
		d.user.leaves(d, r.name, true)
	}
	d.rooms = nil
}

func (r *room) lose(h *Hub) {
	r.mu.Lock()
	r.members--
	h.counts.members.Add(-1)
	r.silent = h.since()
	r.mu.Unlock()
}

// missed is Handler.Missed: a member has taken what waited for it, and did not get some of a room's.
func (h *Hub) missed(s *server.Session, group string, _ int) {
	d, ok := s.Data().(*device)
	if !ok {
		return
	}
	for _, r := range d.rooms {
		if membersOf(r.name) == group {
			r.mu.Lock()
			body := r.gap()
			r.mu.Unlock()
			_ = s.Deliver(body)
		}
	}
}
