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
	sessions int32  // 0: it is in its grace
	moved    bool   // it has a later login at another node, which tells of it from now on
	stamp    uint64 // of its latest login here
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
			s.stamp, s.moved = d.stamp, false
			return
		}
	}
	u.seen = append(u.seen, sighted{id: d.id, sessions: 1, stamp: d.stamp})
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
			u.sh.h.followUser(u.name, followGrace)
			u.sh.h.clock.grace(u.sh.h.graceTime(), alarm{user: u.name, device: d.id, stamp: s.stamp})
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
	moved := u.seen[i].moved
	u.seen = slices.Delete(u.seen, i, i+1)
	if !moved {
		u.tellEvent(Event{Kind: EventOffline, Devices: len(u.seen), Device: a.device, Stamp: a.stamp})
	}
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

// publish tells the watchers of a group about a device here, unless that is at another node, too: then it is
// there that it comes and goes. With the lock held.
func (u *user) publish(group, room, device string, stamp uint64, state envelope.State) {
	if room != "" {
		u.sh.h.tellLookers(room, u.name, device, stamp, state)
	}
	if d := u.sh.elsewhere(group, u.name, device); d != nil {
		d.told = max(d.told, stamp)
		return
	}
	u.sh.show(group, room, u.name, device, stamp, state)
}

// show tells the watchers of a group about a device. With the lock held.
func (sh *shard) show(group, room, user, device string, stamp uint64, state envelope.State) {
	h := sh.h
	if !h.watchersIn(group).any(group) {
		return
	}
	if err := h.srv.Load().Publish(group, sh.presence(group, room, user, device, stamp, state)); err != nil {
		h.cfg.Logger.Warn("presence was not published", "user", user, "error", err)
	}
}

func (sh *shard) presence(group, room, user, device string, stamp uint64, state envelope.State) []byte {
	body, _ := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Presence, User: []byte(user), Room: []byte(room),
		Device: []byte(device), State: state, Stamp: stamp, Taken: sh.h.wall(), Count: uint64(sh.online(group, user))})
	return body
}

// online is how many devices of a user watchers of a group believe online. With the lock held.
func (sh *shard) online(group, user string) (n int) {
	u := sh.users[user]
	if u != nil {
		n = len(u.seen)
	}
	for _, d := range sh.others[group][user] {
		if u == nil || !u.sees(d.id) {
			n++
		}
	}
	return n
}

// sees tells whether watchers believe a device online here. With the lock held.
func (u *user) sees(id string) bool {
	return slices.ContainsFunc(u.seen, func(s sighted) bool { return s.id == id })
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
	group, u := watchersOf(name), sh.users[name]
	if u != nil {
		for _, s := range u.seen {
			bodies = append(bodies, sh.presence(group, "", name, s.id, s.stamp, envelope.Online))
		}
	}
	for _, d := range sh.others[group][name] {
		if u == nil || !u.sees(d.id) {
			bodies = append(bodies, sh.presence(group, "", name, d.id, d.stamp, envelope.Online))
		}
	}
	return bodies
}
