package messaging

import (
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Who watches is in a group of the server: watchers of a user, or of a room. What happens is published
// there, and the watch ends with the session. A device that goes is shown as online for a grace: people
// hate flicker, and most come back.

// sighted is a client id that watchers believe online. Guarded by the shard's lock.
type sighted struct {
	id       string
	sessions int    // 0: it is in its grace
	stamp    uint64 // of its latest login
}

// stay is that of a user's sessions in a room. Guarded by the shard's lock.
type stay struct {
	room  string
	count int // of sessions; 0: those that were there are in their grace
}

// sight notes that a device came. With the lock held.
func (u *user) sight(d *device) {
	for i := range u.seen {
		if s := &u.seen[i]; s.id == d.id {
			s.sessions++
			s.stamp = d.stamp
			return
		}
	}
	u.seen = append(u.seen, sighted{d.id, 1, d.stamp})
	u.tellEvent(Event{Kind: EventOnline, Devices: len(u.seen), Device: d.id, Stamp: d.stamp})
	u.show(d.id, d.stamp, envelope.Online)
}

// goneFromSight notes that a session went: after the grace its device is offline. With the lock held.
func (u *user) goneFromSight(d *device) {
	for i := range u.seen {
		s := &u.seen[i]
		if s.id != d.id {
			continue
		}
		if s.sessions--; s.sessions == 0 {
			u.sh.h.clock.grace(u.sh.h.graceTime(), alarm{u.name, d.id, s.stamp})
		}
		return
	}
}

// graceTime is how long a device that went is not told to be offline.
func (h *Hub) graceTime() time.Duration {
	return time.Duration(h.window.Load())*6/5 + 10*time.Second
}

// graceEnds tells that a device is offline, unless it is back, or came and went since.
func (h *Hub) graceEnds(a alarm) {
	sh := h.shardOf(a.user)
	sh.mu.Lock()
	defer sh.unlock()
	u := sh.users[a.user]
	if u == nil {
		return
	}
	i := slices.IndexFunc(u.seen, func(s sighted) bool { return s.id == a.device && s.sessions == 0 && s.stamp == a.stamp })
	if i < 0 {
		return
	}
	u.seen = slices.Delete(u.seen, i, i+1)
	u.tellEvent(Event{Kind: EventOffline, Devices: len(u.seen), Device: a.device, Stamp: a.stamp})
	u.show(a.device, a.stamp, envelope.Offline)
	if !slices.ContainsFunc(u.seen, func(s sighted) bool { return s.sessions == 0 }) {
		u.rooms = slices.DeleteFunc(u.rooms, func(s stay) bool { return s.count == 0 })
	}
	if len(u.seen) == 0 {
		u.seen, u.rooms = nil, nil
	}
	u.forget()
}

// show tells the watchers of a user, and of his rooms. With the lock held: the order is theirs.
func (u *user) show(device string, stamp uint64, state envelope.State) {
	u.publish(watchersOf(u.name), "", device, stamp, state)
	for _, at := range u.rooms {
		u.publish(watchersOfRoom(at.room), at.room, device, stamp, state)
	}
}

func (u *user) publish(group, room, device string, stamp uint64, state envelope.State) {
	h := u.sh.h
	if !h.watchersIn(group).any(group) {
		return
	}
	if err := h.srv.Load().Publish(group, u.presence(room, device, stamp, state)); err != nil {
		h.cfg.Logger.Warn("presence was not published", "user", u.name, "error", err)
	}
}

func (u *user) presence(room, device string, stamp uint64, state envelope.State) []byte {
	body, _ := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Presence, User: []byte(u.name), Room: []byte(room),
		Device: []byte(device), State: state, Stamp: stamp, Taken: u.sh.h.wall(), Count: uint64(len(u.seen))})
	return body
}

// mayEnter tells whether a session of the user may enter a room that it is not in: his sessions are in so
// many at most, of which one that several are in counts once.
func (u *user) mayEnter(room string) bool {
	u.sh.mu.Lock()
	defer u.sh.mu.Unlock()
	in := 0
	for _, s := range u.rooms {
		if s.count > 0 && s.room == room {
			return true
		}
		if s.count > 0 {
			in++
		}
	}
	return in < u.sh.h.cfg.MaxRooms
}

// enters notes that a session of the user is in a room.
func (u *user) enters(d *device, room string) {
	u.sh.mu.Lock()
	defer u.sh.unlock()
	i := slices.IndexFunc(u.rooms, func(s stay) bool { return s.room == room })
	if i < 0 {
		i = len(u.rooms)
		u.rooms = append(u.rooms, stay{room: room})
		u.publish(watchersOfRoom(room), room, d.id, d.stamp, envelope.Online)
	}
	u.rooms[i].count++
}

// leaves notes that a session is in a room no more. If it has gone, its grace has begun, and the user
// is seen there until that ends.
func (u *user) leaves(d *device, room string, gone bool) {
	u.sh.mu.Lock()
	defer u.sh.unlock()
	i := slices.IndexFunc(u.rooms, func(s stay) bool { return s.room == room })
	if i < 0 {
		return
	}
	if u.rooms[i].count--; u.rooms[i].count <= 0 && !gone {
		u.rooms = slices.Delete(u.rooms, i, i+1)
		u.publish(watchersOfRoom(room), room, d.id, d.stamp, envelope.Offline)
	}
}

// sightings are what a new watcher of a user is told.
func (h *Hub) sightings(name string) (bodies [][]byte) {
	sh := h.shardOf(name)
	sh.mu.Lock()
	defer sh.unlock()
	if u := sh.users[name]; u != nil {
		for _, s := range u.seen {
			bodies = append(bodies, u.presence("", s.id, s.stamp, envelope.Online))
		}
	}
	return bodies
}
