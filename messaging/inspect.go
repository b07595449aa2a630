package messaging

import (
	"context"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// What a back end asks of a hub. Nothing here is asked of the policy.

// UserState is what the hub knows of a user.
type UserState struct {
	Online   bool     // he has a session
	Devices  []Device // that watchers believe online, in ascending order of their ids
	Sessions []server.Ref
	Rooms    []string // that his sessions are in, or were in and are in their grace
	Waiting  Waiting  // in the store
	// Unacknowledged is how many messages his devices have been sent and none has acknowledged; those of them
	// that are stored count in Waiting, too.
	Unacknowledged int
}

// Device is a client of a user.
type Device struct {
	ID     string
	Online bool // false: it has gone, and is in its grace
}

// User tells what the hub knows of a user. It knows no accounts: of a name that it never heard, everything
// is zero. Errors: ErrName, ErrNotStarted, ErrClosed.
func (h *Hub) User(name string) (st UserState, err error) {
	if _, err := h.ready(); err != nil {
		return st, err
	}
	if !ValidUser(name) {
		return st, ErrName
	}
	st.Waiting.User = name
	if h.cfg.Store != nil {
		st.Waiting = h.cfg.Store.Waiting(name)
	}
	sh := h.shardOf(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	u := sh.users[name]
	if u == nil {
		return st, nil
	}
	st.Online = len(u.devices) > 0
	for _, d := range u.devices {
		st.Sessions = append(st.Sessions, d.ref)
	}
	for _, s := range u.seen {
		st.Devices = append(st.Devices, Device{s.id, s.sessions > 0})
	}
	slices.SortFunc(st.Devices, func(a, b Device) int { return strings.Compare(a.ID, b.ID) })
	for _, at := range u.rooms {
		st.Rooms = append(st.Rooms, at.room)
	}
	slices.Sort(st.Rooms)
	st.Unacknowledged = len(u.window)
	return st, nil
}

// NamePage is a page of names.
type NamePage struct {
	Names []string // in ascending order of their bytes
	Count int      // of all pages
	More  bool     // there are names behind these
}

// Users returns up to limit users who are online, or in their grace, and whose names begin with prefix, in
// ascending order from behind after on; "" begins. Who is online during a whole walk is in it. A page costs a look at every user
// who is online; there is one at a time. It waits: not to be called from a handler. Errors: ctx's, ErrNotStarted,
// ErrClosed, and a *Refusal when too many ask.
func (h *Hub) Users(ctx context.Context, prefix, after string, limit int) (NamePage, error) {
	return h.names(ctx, question{kind: envelope.OnlineUsers, prefix: prefix, after: after, limit: limit})
}

// Members is Users for those who are in a room.
func (h *Hub) Members(ctx context.Context, room, after string, limit int) (NamePage, error) {
	return h.names(ctx, question{kind: envelope.RoomMembers, room: room, after: after, limit: limit})
}

func (h *Hub) names(ctx context.Context, q question) (NamePage, error) {
	q.limit = max(1, q.limit)
	var p NamePage
	if err := h.inTurn(ctx, func() {
		var count uint64
		p.Names, count, p.More = h.list(&q)
		p.Count = int(count)
	}); err != nil {
		return NamePage{}, err
	}
	return p, nil
}

// RoomState is what the hub knows of a room.
type RoomState struct {
	Name     string
	Members  int               // sessions
	Position envelope.Position // of its latest message
}

// Room tells what the hub knows of a room, and whether it knows it.
func (h *Hub) Room(name string) (st RoomState, ok bool) {
	r := h.room(name, false)
	if r == nil {
		return st, false
	}
	defer r.mu.Unlock()
	return r.state(), true
}

func (r *room) state() RoomState {
	return RoomState{r.name, r.members, envelope.Position{Epoch: r.epoch, Offset: r.head}}
}

// RoomPage is a page of rooms.
type RoomPage struct {
	Rooms []RoomState // in ascending order of their names' bytes
	Count int         // of all pages
	More  bool        // there are rooms behind these
}

// Rooms returns up to limit rooms that the hub knows, as Users does users.
func (h *Hub) Rooms(ctx context.Context, prefix, after string, limit int) (RoomPage, error) {
	limit = max(1, limit)
	var p RoomPage
	if err := h.inTurn(ctx, func() {
		var names []string
		for i := range h.rooms {
			names = smallest(h.rooms[i].find(names, prefix, after, &p.Count), limit+1)
		}
		if p.More = len(names) > limit; p.More {
			names = names[:limit]
		}
		for _, name := range names {
			st, _ := h.Room(name)
			st.Name = name // it may have been forgotten meanwhile
			p.Rooms = append(p.Rooms, st)
		}
	}); err != nil {
		return RoomPage{}, err
	}
	return p, nil
}

// find appends the rooms behind after to names, and counts all.
func (sh *roomShard) find(names []string, prefix, after string, count *int) []string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for name := range sh.rooms {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		*count++
		if name > after {
			names = append(names, name)
		}
	}
	return names
}

// inTurn has something done among the questions of clients, one at a time, and waits until it is. With an
// error it may still be done, or being done.
func (h *Hub) inTurn(ctx context.Context, do func()) error {
	if _, err := h.ready(); err != nil {
		return err
	}
	done := make(chan struct{})
	select {
	case h.asks <- func() {
		defer close(done)
		if ctx.Err() == nil {
			do()
		}
	}:
	default:
		return refuseBusy
	}
	select {
	case <-done:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	case <-h.ctx.Done():
		return ErrClosed
	}
}
