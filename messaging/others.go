package messaging

import (
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// What watchers here are told of devices at other nodes. Only those of whom somebody here wants to know are known:
// of a user who is watched by the logins that all nodes tell, of a room that is watched by what its members' nodes
// tell. A device that is here, too, and one whose login elsewhere is the later, is told of once.

// otherDevice is a client id that is, or was, at other nodes. Guarded by the lock of its user's shard.
type otherDevice struct {
	group string // of its watchers
	user  string
	id    string
	on    []otherLogin // empty: it is in its grace
	stamp uint64       // of the latest login
	told  uint64       // of the latest here, of which watchers were told
	grace uint64       // how many have begun: one that is over by a return ends nothing later
	dead  bool         // it is told to be offline
}

// otherLogin is one at another node.
type otherLogin struct {
	node  string
	stamp uint64
}

// maxOthers bounds the devices that a shard knows of other nodes. Of those beyond it watchers are told who comes, and who
// goes by himself.
const maxOthers = 1 << 20 / shards

// elsewhere is a device at other nodes, or one in its grace there; nil: it is at none. With the lock held.
func (sh *shard) elsewhere(group, user, id string) *otherDevice {
	for _, d := range sh.others[group][user] {
		if d.id == id {
			return d
		}
	}
	return nil
}

// here tells whether this node tells the group of a device itself. With the lock held.
func (sh *shard) here(group, user, id string) bool {
	u := sh.users[user]
	if u == nil || !u.sees(id) {
		return false
	}
	room, ofRoom := roomWatched(group)
	return !ofRoom || slices.ContainsFunc(u.rooms, func(s stay) bool { return s.room == room })
}

// roomWatched is the room whose watchers are a group.
func roomWatched(group string) (room string, is bool) {
	return strings.CutPrefix(group, watchersOfRoom(""))
}

// comes notes that a device is at another node, and tells the group's watchers if they do not know. With the
// lock held.
func (sh *shard) comes(group, user, id string, at otherLogin, silent bool) *otherDevice {
	of, watched := sh.others[group]
	if !watched {
		return nil
	}
	d := sh.elsewhere(group, user, id)
	if d == nil {
		room, _ := roomWatched(group)
		d = &otherDevice{group: group, user: user, id: id, stamp: at.stamp}
		known := sh.here(group, user, id)
		if sh.othersKnown < maxOthers {
			if of == nil {
				of = make(map[string][]*otherDevice)
				sh.others[group] = of
			}
			of[user] = append(of[user], d)
			sh.othersKnown++
		}
		if !silent && !known {
			sh.show(group, room, user, id, at.stamp, envelope.Online)
		}
	}
	d.stamp = max(d.stamp, at.stamp)
	if !slices.Contains(d.on, at) {
		d.on = append(d.on, at)
	}
	return d
}

// goes notes that logins have ended that are gone's. With the lock held.
func (sh *shard) goes(d *otherDevice, gone func(otherLogin) bool, grace bool) {
	if len(d.on) == 0 {
		return
	}
	if d.on = slices.DeleteFunc(d.on, gone); len(d.on) > 0 {
		return
	}
	if d.on = nil; grace {
		d.grace++
		sh.h.clock.grace(sh.h.graceTime(), alarm{user: d.user, far: d, stamp: d.grace})
		return
	}
	sh.offline(d)
}

// offline forgets a device, and tells that it is offline unless it is here. With the lock held.
func (sh *shard) offline(d *otherDevice) {
	d.dead = true
	sh.othersKnown--
	of := sh.others[d.group]
	if left := slices.DeleteFunc(of[d.user], func(o *otherDevice) bool { return o == d }); len(left) > 0 {
		of[d.user] = left
	} else {
		delete(of, d.user)
	}
	if !sh.here(d.group, d.user, d.id) {
		room, _ := roomWatched(d.group)
		sh.show(d.group, room, d.user, d.id, max(d.stamp, d.told), envelope.Offline)
		return
	}
	u := sh.users[d.user]
	for i := range u.seen { // what is told of it here must not be older than what was told
		if s := &u.seen[i]; s.id == d.id && s.stamp < d.stamp {
			if s.stamp = d.stamp; s.sessions == 0 {
				u.graceAgain(s, d.stamp)
			}
		}
	}
}

// otherGraceEnds ends a grace, unless the device is back, or came and went since.
func (h *Hub) otherGraceEnds(a alarm) {
	sh := h.shardOf(a.user)
	sh.mu.Lock()
	defer sh.unlock()
	if d := a.far; !d.dead && len(d.on) == 0 && d.grace == a.stamp {
		sh.offline(d)
	}
}

// cameElsewhere is cluster.Handler.Login.
func (sh *shard) cameElsewhere(node string, l *cluster.Login) {
	sh.mu.Lock()
	defer sh.unlock()
	if u := sh.users[l.User]; u != nil {
		for i := range u.seen {
			if s := &u.seen[i]; s.id == l.ID && s.stamp < l.Stamp {
				s.moved = true
			}
		}
	}
	if len(sh.others) > 0 {
		sh.comes(watchersOf(l.User), l.User, l.ID, otherLogin{node, l.Stamp}, false)
	}
}

// wentElsewhere is cluster.Handler.Logout.
func (sh *shard) wentElsewhere(node string, l *cluster.Login) {
	sh.mu.Lock()
	defer sh.unlock()
	if u := sh.users[l.User]; u != nil {
		for i := range u.seen {
			switch s := &u.seen[i]; {
			case s.id != l.ID || !s.moved || s.stamp > l.Stamp:
			case s.sessions > 0:
				s.moved = false // it is here, and there no more
			default:
				u.graceAgain(s, l.Stamp)
			}
		}
	}
	if len(sh.others) == 0 {
		return
	}
	at := otherLogin{node, l.Stamp}
	if d := sh.elsewhere(watchersOf(l.User), l.User, l.ID); d != nil {
		sh.goes(d, func(o otherLogin) bool { return o == at }, true)
	} else {
		sh.h.vigils.missed(watchersOf(l.User), at)
	}
}

// graceAgain begins the grace anew of a device that has moved away from here: it has just gone there. With the lock
// held.
func (u *user) graceAgain(s *sighted, stamp uint64) {
	s.stamp = max(s.stamp, stamp)
	u.sh.h.clock.grace(u.sh.h.graceTime(), alarm{user: u.name, device: s.id, stamp: s.stamp})
}

// othersGone has all that was at a node begin its grace: the node is gone.
func (sh *shard) othersGone(node string) {
	sh.mu.Lock()
	defer sh.unlock()
	for _, u := range sh.users {
		for i := range u.seen {
			if s := &u.seen[i]; s.moved && s.sessions == 0 { // perhaps to that node
				u.graceAgain(s, s.stamp+1)
			}
		}
	}
	for group := range sh.others {
		sh.goneFrom(node, group)
	}
}

// othersUntold has all that a node has told of rooms begin its grace: it had this node for lost, and did not tell who
// went. Who is there it tells again.
func (sh *shard) othersUntold(node string) {
	sh.mu.Lock()
	defer sh.unlock()
	for group := range sh.others {
		if _, ofRoom := roomWatched(group); ofRoom {
			sh.goneFrom(node, group)
		}
	}
}

// goneFrom has all that is known of a group at a node begin its grace. With the lock held.
func (sh *shard) goneFrom(node, group string) {
	for _, all := range sh.others[group] {
		for _, d := range slices.Clone(all) {
			sh.goes(d, func(o otherLogin) bool { return o.node == node }, true)
		}
	}
}

// watched has the shard know others of a group, or forget them.
func (sh *shard) watched(group string, is bool) {
	sh.mu.Lock()
	defer sh.unlock()
	if is {
		if sh.others == nil {
			sh.others = make(map[string]map[string][]*otherDevice)
		}
		if _, there := sh.others[group]; !there {
			sh.others[group] = nil
		}
		return
	}
	for _, all := range sh.others[group] {
		for _, d := range all {
			d.dead = true
		}
		sh.othersKnown -= len(all)
	}
	delete(sh.others, group)
}
