package messaging

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
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
	dead    bool    // it was forgotten: whoever finds it looks again
	far     *abroad // nil: there are no other nodes
}

// said is a message of a room.
type said struct {
	id   ID
	body []byte
}

func membersOf(room string) string { return "r/" + room }

// room returns a room, locked, made if need be and wanted; nil otherwise.
func (h *Hub) room(name string, wanted bool) *room {
	sh := h.roomShard(name)
	for {
		sh.mu.Lock()
		r := sh.rooms[name]
		if r == nil && wanted && h.roomFor(sh) {
			r = &room{name: name, epoch: randomNumber(), silent: h.since()}
			if h.cfg.Peers != nil {
				r.far = new(abroad)
			}
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

func (h *Hub) roomShard(name string) *roomShard {
	return &h.rooms[maphash.String(h.seed, name)%shards]
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
		if r.isIdle() && (oldest == nil || r.silent < oldest.silent) {
			oldest = r
		}
		r.mu.Unlock()
	}
	if oldest == nil {
		return false
	}
	oldest.mu.Lock()
	defer oldest.mu.Unlock()
	if !oldest.isIdle() {
		return false
	}
	h.forgetRoom(sh, oldest)
	return true
}

// isIdle tells whether nobody is in the room, or follows it. With its lock held.
func (r *room) isIdle() bool {
	return r.members == 0 && (r.far == nil || len(r.far.followers)+len(r.far.joins) == 0 && !r.far.was && r.far.let == 0)
}

// forgetRoom forgets a room. With its lock held, and that of its shard.
func (h *Hub) forgetRoom(sh *roomShard, r *room) {
	r.dead = true
	delete(sh.rooms, r.name)
	h.held.Add(-1)
}

// PushRoom sends a message to the members of a room, and returns the place it has there. It is kept in
// memory for those who come back, as long as the room's ring goes. A message whose ID is in the ring has
// the place that it got first. In a cluster it waits for the room's home, up to 5 s: not to be called from a
// handler then. When ctx ends first nobody knows, and the room may still say it.
//
// Errors: ctx's, ErrName, ErrNotStarted, ErrClosed, and a *Refusal: what is too large, and where the node has
// too many rooms, or too much to send.
func (h *Hub) PushRoom(ctx context.Context, name string, m Message) (envelope.Position, error) {
	if _, err := h.ready(); err != nil {
		return envelope.Position{}, err
	}
	if !ValidName(name) || m.From != "" && !ValidUser(m.From) {
		return envelope.Position{}, ErrName
	}
	e := envelope.Envelope{User: []byte(m.From), Content: m.Content}
	if h.cfg.Peers != nil {
		return h.pushAbroad(ctx, name, h.named(m.ID), &e)
	}
	return h.toRoom(name, h.named(m.ID), &e)
}

// pushAbroad waits for the room's home.
func (h *Hub) pushAbroad(ctx context.Context, name string, id ID, e *envelope.Envelope) (at envelope.Position, err error) {
	done := make(chan struct{})
	if why := h.sayAbroad(name, id, e, h.since(), func(pos envelope.Position, why *Refusal) {
		if at = pos; why != nil {
			err = why
		}
		close(done)
	}); why != nil {
		return at, why
	}
	select {
	case <-done:
		return at, err
	case <-ctx.Done():
		return envelope.Position{}, ctx.Err()
	}
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
	return r.say(h, id, e)
}

// errEnding is what say returns where the node ends, and with it this home: the next one is to say it.
var errEnding = errors.New("messaging: the room's home ends")

// say gives a message the next place, unless it has one, and sends it to the members. Errors are *Refusals, and in a cluster errEnding. With
// the room's lock held.
func (r *room) say(h *Hub, id ID, e *envelope.Envelope) (at envelope.Position, err error) {
	if i := slices.IndexFunc(r.ring, func(s said) bool { return s.id == id }); i >= 0 {
		return envelope.Position{Epoch: r.epoch, Offset: r.offsetOf(i)}, nil
	}
	at = envelope.Position{Epoch: r.epoch, Offset: r.head + 1}
	body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Publication, Room: []byte(r.name), User: e.User,
		ID: id.envelope(), Position: at, Time: e.Time, Taken: h.wall(), Content: e.Content})
	if err != nil {
		return at, refuseMalformed
	}
	switch err := h.srv.Load().Publish(membersOf(r.name), body); {
	case errors.Is(err, server.ErrTooBig):
		return at, refuseLarge
	case errors.Is(err, server.ErrClosed) && r.far != nil:
		return at, errEnding
	case err != nil:
		return at, refuseBusy
	}
	r.head, r.silent = at.Offset, h.since()
	r.keep(said{id, body}, h.cfg.RingMessages, h.cfg.RingBytes)
	if r.far != nil {
		_ = h.tellAll(&between.Message{Kind: between.Said, Body: body}) // who does not get it sees that it is behind
		h.headChanged(r)
	}
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
func (h *Hub) join(s *server.Session, a *asked) error {
	d, name, since := a.d, string(a.e.Room), a.e.Position
	i := slices.IndexFunc(d.rooms, func(r *room) bool { return r.name == name })
	if i < 0 && !d.user.mayEnter(name) {
		return refuseMany
	}
	waited := a.begin(h.since())
	r := h.room(name, true)
	if r == nil {
		return refuseBusy
	}
	if h.lookAt(r); !r.isReady() && waited < joinTime {
		r.far.joins = append(r.far.joins, a)
		h.fetch(r)
		r.mu.Unlock()
		return errWaits
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
	if r.far != nil {
		answer.Count += uint64(r.far.others)
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
		h.recount(r)
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
	h.lose(r)
	d.user.leaves(d, name, false)
}

// leaveAll ends the memberships of a session that has ended. On its loop.
func (h *Hub) leaveAll(d *device) {
	for _, r := range d.rooms {
		h.lose(r)
		d.user.leaves(d, r.name, true)
	}
	d.rooms = nil
}

func (h *Hub) lose(r *room) {
	r.mu.Lock()
	r.members--
	h.recount(r)
	h.counts.members.Add(-1)
	r.silent = h.since()
	r.mu.Unlock()
	h.dropIdle(r)
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
