package messaging

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// What a back end asks of a hub. Nothing here is asked of the policy.

// UserState is what the nodes know of a user.
type UserState struct {
	Online   bool      `json:"online"`   // he has a session
	Devices  []Device  `json:"devices"`  // that watchers believe online, in ascending order of their ids
	Sessions []Session `json:"sessions"` // by node
	Rooms    []string  `json:"rooms"`    // that his sessions are in, or were in and are in their grace
	Waiting  Waiting   `json:"waiting"`  // in the nodes' stores
	// Unacknowledged is how many messages his devices have been sent and none has acknowledged; those of them
	// that are stored count in Waiting, too.
	Unacknowledged int  `json:"unacknowledged"`
	Partial        bool `json:"partial"` // a node did not answer
}

// Device is a client of a user.
type Device struct {
	ID     string `json:"id"`
	Online bool   `json:"online"` // false: it has gone, and is in its grace
}

// User tells what all nodes know of a user. They know no accounts: of a name that was never heard, everything
// is zero. It waits, for other nodes a second at most: not to be called from a handler. Errors: ctx's, ErrName,
// ErrNotStarted, ErrClosed.
func (h *Hub) User(ctx context.Context, name string) (st UserState, err error) {
	if _, err := h.ready(); err != nil {
		return st, err
	}
	if !ValidUser(name) {
		return st, ErrName
	}
	if st, err = h.userHere(ctx, name); err != nil {
		return st, err
	}
	answers, partial, err := h.inquire(ctx, inquireUser, &inquiry{User: name})
	st.Partial = merge(answers, st.add) || partial
	return st, err
}

// add adds what another node knows.
func (st *UserState) add(o *UserState) {
	st.Online = st.Online || o.Online
	for _, d := range o.Devices {
		if i := slices.IndexFunc(st.Devices, func(own Device) bool { return own.ID == d.ID }); i >= 0 {
			st.Devices[i].Online = st.Devices[i].Online || d.Online
		} else {
			st.Devices = append(st.Devices, d)
		}
	}
	slices.SortFunc(st.Devices, func(a, b Device) int { return strings.Compare(a.ID, b.ID) })
	st.Sessions = append(st.Sessions, o.Sessions...)
	slices.SortStableFunc(st.Sessions, func(a, b Session) int { return strings.Compare(a.Ref.Node(), b.Ref.Node()) })
	st.Rooms = append(st.Rooms, o.Rooms...)
	slices.Sort(st.Rooms)
	st.Rooms = slices.Compact(st.Rooms)
	w, more := &st.Waiting, &o.Waiting
	w.Records, w.Delayed, w.Bytes = w.Records+more.Records, w.Delayed+more.Delayed, w.Bytes+more.Bytes
	if w.Oldest.IsZero() || !more.Oldest.IsZero() && more.Oldest.Before(w.Oldest) {
		w.Oldest = more.Oldest
	}
	st.Unacknowledged += o.Unacknowledged
}

// userHere is User of this node alone.
func (h *Hub) userHere(ctx context.Context, name string) (st UserState, err error) {
	var refs []server.Ref
	st, refs = h.userKnown(name)
	for _, ref := range refs {
		s, err := h.sessionHere(ctx, ref.SessionID().String())
		switch {
		case err == nil:
			st.Sessions = append(st.Sessions, s)
		case !errors.Is(err, errNoSuch): // it has ended meanwhile
			return st, err
		}
	}
	return st, nil
}

// userKnown is what is known without asking the sessions.
func (h *Hub) userKnown(name string) (st UserState, sessions []server.Ref) {
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
		sessions = append(sessions, d.ref)
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
	return st, sessions
}

// NamePage is a page of names.
type NamePage struct {
	Names   []string `json:"names"`             // in ascending order of their bytes
	Count   int      `json:"count"`             // of all pages; who is on several nodes counts for each
	More    bool     `json:"more,omitempty"`    // there are names behind these
	Partial bool     `json:"partial,omitempty"` // a node did not answer
}

// maxListed bounds what is asked for at once: a page is one message between nodes.
const maxListed = 1000

func pageLimit(limit int) int { return min(max(limit, 1), maxListed) }

// Users returns up to limit users, or 1,000, who are online, or in their grace, and whose names begin with prefix, in
// ascending order from behind after on; "" begins. Who is online during a whole walk is in it. A page costs a look at every user
// who is online; there is one at a time. It waits, for other nodes a second at most: not to be called from a handler.
// Errors: ctx's, ErrNotStarted, ErrClosed, and a *Refusal when too many ask.
func (h *Hub) Users(ctx context.Context, prefix, after string, limit int) (NamePage, error) {
	return h.names(ctx, question{kind: envelope.OnlineUsers, prefix: prefix, after: after, limit: limit})
}

// Members is Users for those who are in a room.
func (h *Hub) Members(ctx context.Context, room, after string, limit int) (NamePage, error) {
	return h.names(ctx, question{kind: envelope.RoomMembers, room: room, after: after, limit: limit})
}

// names are those of all nodes.
func (h *Hub) names(ctx context.Context, q question) (NamePage, error) {
	q.limit = pageLimit(q.limit)
	p, err := h.namesHere(ctx, &q)
	if err != nil {
		return NamePage{}, err
	}
	answers, partial, err := h.inquire(ctx, inquireNames,
		&inquiry{Question: q.kind, User: q.user, Room: q.room, Prefix: q.prefix, After: q.after, Limit: q.limit})
	p.Partial = merge(answers, func(o *NamePage) {
		p.Names, p.Count, p.More = append(p.Names, o.Names...), p.Count+o.Count, p.More || o.More
	}) || partial
	slices.Sort(p.Names)
	if p.Names = slices.Compact(p.Names); len(p.Names) > q.limit {
		p.Names, p.More = p.Names[:q.limit], true
	}
	if q.after == "" && !p.More {
		p.Count = len(p.Names)
	}
	return p, err
}

// namesHere are those of this node.
func (h *Hub) namesHere(ctx context.Context, q *question) (p NamePage, err error) {
	err = h.inTurn(ctx, func() {
		var count uint64
		p.Names, count, p.More = h.list(q)
		p.Count = int(count)
	})
	if err != nil {
		return NamePage{}, err // it may still be written to
	}
	return p, nil
}

// RoomState is what the nodes know of a room.
type RoomState struct {
	Name     string            `json:"name"`
	Members  int               `json:"members"`           // sessions
	Position envelope.Position `json:"position"`          // of its latest message
	Home     string            `json:"home,omitempty"`    // the node that gives its offsets; empty: there is one alone, or it is not known
	Partial  bool              `json:"partial,omitempty"` // a node did not answer
}

// Room tells what all nodes know of a room, and whether one knows it. It waits, for other nodes a second at most: not
// to be called from a handler. Errors: ctx's, ErrNotStarted, ErrClosed.
func (h *Hub) Room(ctx context.Context, name string) (st RoomState, ok bool, err error) {
	if _, err := h.ready(); err != nil {
		return st, false, err
	}
	st, ok = h.roomHere(name)
	st.Name = name
	answers, partial, err := h.inquire(ctx, inquireRoom, &inquiry{Room: name})
	st.Partial = merge(answers, func(o *RoomState) { ok = true; st.add(o) }) || partial
	return st, ok, err
}

// add adds what another node knows.
func (st *RoomState) add(o *RoomState) {
	st.Members += o.Members
	if o.Home != "" || st.Position.Epoch == 0 {
		st.Position, st.Home = o.Position, o.Home
	}
}

// roomHere is Room of this node alone. Home is this node, or empty.
func (h *Hub) roomHere(name string) (st RoomState, ok bool) {
	r := h.room(name, false)
	if r == nil {
		return st, false
	}
	defer r.mu.Unlock()
	st = RoomState{Name: r.name, Members: r.members, Position: r.position()}
	if r.far != nil && r.isHome(h) {
		st.Home = h.self
	}
	return st, true
}

// RoomPage is a page of rooms.
type RoomPage struct {
	Rooms   []RoomState `json:"rooms"`             // in ascending order of their names' bytes
	Count   int         `json:"count"`             // of all pages
	More    bool        `json:"more,omitempty"`    // there are rooms behind these
	Partial bool        `json:"partial,omitempty"` // a node did not answer
}

// Rooms returns up to limit rooms that a node knows, as Users does users.
func (h *Hub) Rooms(ctx context.Context, prefix, after string, limit int) (RoomPage, error) {
	limit = pageLimit(limit)
	p, err := h.roomsHere(ctx, prefix, after, limit)
	if err != nil {
		return RoomPage{}, err
	}
	answers, partial, err := h.inquire(ctx, inquireRooms, &inquiry{Prefix: prefix, After: after, Limit: limit})
	p.Partial = merge(answers, p.add) || partial
	if len(p.Rooms) > limit {
		p.Rooms, p.More = p.Rooms[:limit], true
	}
	return p, err
}

// add adds another node's page.
func (p *RoomPage) add(o *RoomPage) {
	p.Count, p.More = p.Count+o.Count, p.More || o.More
	for i := range o.Rooms {
		at, there := slices.BinarySearchFunc(p.Rooms, o.Rooms[i].Name, func(st RoomState, name string) int { return strings.Compare(st.Name, name) })
		if there {
			p.Rooms[at].add(&o.Rooms[i])
		} else {
			p.Rooms = slices.Insert(p.Rooms, at, o.Rooms[i])
		}
	}
}

// roomsHere is a page of the rooms that this node knows; it counts those that it is the home of.
func (h *Hub) roomsHere(ctx context.Context, prefix, after string, limit int) (p RoomPage, err error) {
	err = h.inTurn(ctx, func() {
		var names []string
		for i := range h.rooms {
			names = smallest(h.rooms[i].find(names, prefix, after, &p.Count, h.homeOf), limit+1)
		}
		if p.More = len(names) > limit; p.More {
			names = names[:limit]
		}
		for _, name := range names {
			st, _ := h.roomHere(name)
			st.Name = name // it may have been forgotten meanwhile
			p.Rooms = append(p.Rooms, st)
		}
	})
	if err != nil {
		return RoomPage{}, err // it may still be written to
	}
	return p, nil
}

// homeOf tells whether this node is the home of a room.
func (h *Hub) homeOf(room string) bool {
	return h.cfg.Peers == nil || h.cfg.Peers.Home(room) == h.self
}

// find appends the rooms behind after to names, and counts those that are to count.
func (sh *roomShard) find(names []string, prefix, after string, count *int, counts func(string) bool) []string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for name := range sh.rooms {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if counts(name) {
			*count++
		}
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
