package messaging

import (
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// What this node's watchers want to know of other nodes, and what others' want to know of this one. Where somebody
// begins to watch, all nodes are asked who is there; of a room they tell from then on who comes and goes. Of a
// user they need not: all logins are told to all.

// gatherTime bounds how long other nodes are waited for.
const gatherTime = time.Second

// vigils are a hub's, by group of watchers. Its lock may be taken with that of a shard held; changing comes before
// both, and is held while one begins or ends: else the end of one could undo the beginning of the next.
type vigils struct {
	changing sync.Mutex

	mu      sync.Mutex
	of      map[string]*vigil
	lookers map[string][]string // nodes with watchers of a room
}

// vigil is that of one group.
type vigil struct {
	user, room string
	token      uint64          // of the question
	asked      map[string]bool // nodes that have not said all; nil: all have
	waits      []*asked
	ended      []otherLogin // while they were asked, and which nobody knew
}

// looks tells whether all nodes have told who is there of a group, and has them asked if they were not. Until
// they have, a waits, if it may. On a session's loop, which is counted among the group's watchers.
func (h *Hub) looks(group string, e *envelope.Envelope, a *asked, wait bool) bool {
	v := &h.vigils
	v.mu.Lock()
	w := v.of[group]
	v.mu.Unlock()
	if w == nil {
		w = h.beginVigil(group, e)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if w.asked == nil {
		return true
	}
	if wait {
		w.waits = append(w.waits, a)
	}
	return false
}

// beginVigil has all nodes asked about a group, unless they were.
func (h *Hub) beginVigil(group string, e *envelope.Envelope) *vigil {
	v := &h.vigils
	v.changing.Lock()
	defer v.changing.Unlock()
	v.mu.Lock()
	w := v.of[group]
	if w != nil {
		v.mu.Unlock()
		return w
	}
	w = &vigil{user: string(e.User), room: string(e.Room), token: h.token.Add(1), asked: map[string]bool{h.self: true}}
	if v.of == nil {
		v.of = make(map[string]*vigil)
	}
	v.of[group] = w
	v.mu.Unlock()
	for _, sh := range h.shardsOf(w) {
		sh.watched(group, true)
	}
	if w.user != "" {
		h.followUser(w.user, followWatch)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	w.asked = make(map[string]bool) // a node that ended meanwhile may have been the last
	m := between.Message{Kind: between.Look, Token: w.token, User: e.User, Room: e.Room}
	for _, node := range h.cfg.Peers.Live() {
		if node != h.self && h.tellPeer(node, &m) == nil {
			w.asked[node] = true
		}
	}
	if len(w.asked) == 0 {
		w.asked = nil
	}
	return w
}

// shardsOf are those that know devices of a group.
func (h *Hub) shardsOf(w *vigil) (all []*shard) {
	if w.user != "" {
		return []*shard{h.shardOf(w.user)}
	}
	for i := range h.shards {
		all = append(all, &h.shards[i])
	}
	return all
}

// looksNoMore forgets a group that nobody watches.
func (h *Hub) looksNoMore(group string) {
	if h.cfg.Peers == nil || h.watchersIn(group).any(group) {
		return
	}
	v := &h.vigils
	v.changing.Lock()
	defer v.changing.Unlock()
	v.mu.Lock()
	w := v.of[group]
	if w == nil || h.watchersIn(group).any(group) {
		v.mu.Unlock()
		return
	}
	delete(v.of, group)
	v.mu.Unlock()
	for _, sh := range h.shardsOf(w) {
		sh.watched(group, false)
	}
	if w.user != "" {
		h.unfollowUser(w.user, followWatch)
	}
	if w.room != "" {
		h.tellEach(&between.Message{Kind: between.Unlook, Room: []byte(w.room), Token: w.token})
	}
}

// tellEach says something to all live nodes, to each as tellPeer does.
func (h *Hub) tellEach(m *between.Message) {
	for _, node := range h.cfg.Peers.Live() {
		if node != h.self {
			_ = h.tellPeer(node, m)
		}
	}
}

// lookAgain asks a node that came, or has forgotten this one, about the rooms that are watched here.
func (h *Hub) lookAgain(node string) {
	v := &h.vigils
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, w := range v.of {
		if w.room != "" || w.asked[node] {
			_ = h.tellPeer(node, &between.Message{Kind: between.Look, Token: w.token, User: []byte(w.user), Room: []byte(w.room)})
		}
	}
}

// looksWithout waits for nothing of a node that is gone, and has nothing to tell it.
func (h *Hub) looksWithout(node string) {
	v := &h.vigils
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, w := range v.of {
		h.hasTold(w, node)
	}
	for room := range v.lookers {
		v.dropLooker(room, node)
	}
}

// addLooker notes that a node watches a room. Lists of nodes are never changed. With the lock held.
func (v *vigils) addLooker(room, node string) {
	if slices.Contains(v.lookers[room], node) {
		return
	}
	if v.lookers == nil {
		v.lookers = make(map[string][]string)
	}
	v.lookers[room] = append(slices.Clone(v.lookers[room]), node)
}

// dropLooker notes that it does not any more. With the lock held.
func (v *vigils) dropLooker(room, node string) {
	nodes := slices.DeleteFunc(slices.Clone(v.lookers[room]), func(n string) bool { return n == node })
	if len(nodes) == 0 {
		delete(v.lookers, room)
		return
	}
	v.lookers[room] = nodes
}

// hasTold notes that a node has said all. With the lock held.
func (h *Hub) hasTold(w *vigil, node string) {
	if w.asked == nil {
		return
	}
	if delete(w.asked, node); len(w.asked) > 0 {
		return
	}
	w.asked, w.ended = nil, nil
	w.waits = slices.DeleteFunc(w.waits, h.goOn)
}

// missed notes a logout of which no login is known: who was asked may have told it before.
func (v *vigils) missed(group string, at otherLogin) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w := v.of[group]; w != nil && w.asked != nil {
		w.ended = append(w.ended, at)
	}
}

// waitAgain has those go on who have waited for long enough, or whose loops had no room. It tells whether
// somebody waits.
func (h *Hub) waitAgain(now time.Duration) (busy bool) {
	v := &h.vigils
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, w := range v.of {
		w.waits = slices.DeleteFunc(w.waits, func(a *asked) bool {
			return (w.asked == nil || now-a.began >= gatherTime) && h.goOn(a)
		})
		busy = busy || len(w.waits) > 0
	}
	return busy
}

func init() {
	hears[between.Look] = (*Hub).lookCame
	hears[between.Looked] = (*Hub).lookedCame
	hears[between.Unlook] = (*Hub).unlookCame
	hears[between.Seen] = (*Hub).seenCame
}

// lookCame tells a node who is here of a user, or in a room.
func (h *Hub) lookCame(node string, m *between.Message) {
	answer := between.Message{Kind: between.Looked, Token: m.Token, User: m.User, Room: m.Room}
	if room := string(m.Room); room != "" {
		v := &h.vigils
		v.mu.Lock()
		v.addLooker(room, node)
		v.mu.Unlock()
		answer.User, answer.Room = nil, []byte(room)
		select {
		case h.asks <- func() { h.tellRoom(node, room, &answer) }:
		default:
			answer.Result = between.Later
			_ = h.tellPeer(node, &answer)
		}
		return
	}
	user := string(m.User)
	sh := h.shardOf(user)
	sh.mu.Lock()
	defer sh.unlock()
	if u := sh.users[user]; u != nil {
		for _, s := range u.seen {
			answer.List = between.AppendDevice(answer.List, user, s.id, s.stamp, s.sessions == 0)
		}
	}
	answer.Result = between.Last
	_ = h.tellPeer(node, &answer) // with the lock held: what comes and goes later is told behind it
}

// tellRoom tells a node who is in a room here.
func (h *Hub) tellRoom(node, room string, answer *between.Message) {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		answer.List = nil
		for name, u := range sh.users {
			if !slices.ContainsFunc(u.rooms, func(s stay) bool { return s.room == room }) {
				continue
			}
			for _, s := range u.seen {
				answer.List = between.AppendDevice(answer.List, name, s.id, s.stamp, false) // its grace ends here
			}
			if len(answer.List) > maxHeads {
				_ = h.tellPeer(node, answer)
				answer.List = nil
			}
		}
		if answer.Result = 0; i == len(h.shards)-1 {
			answer.Result = between.Last
		}
		if len(answer.List) > 0 || answer.Result != 0 {
			_ = h.tellPeer(node, answer)
		}
		sh.mu.Unlock()
	}
}

// lookedCame takes what a node tells.
func (h *Hub) lookedCame(node string, m *between.Message) {
	group := watchersOf(string(m.User))
	if len(m.Room) > 0 {
		group = watchersOfRoom(string(m.Room))
	}
	v := &h.vigils
	v.mu.Lock()
	w := v.of[group]
	if w == nil || w.token != m.Token {
		v.mu.Unlock()
		return
	}
	silent, ended := w.asked != nil, slices.Clone(w.ended)
	v.mu.Unlock()
	if m.Result == between.Later {
		time.AfterFunc(busyTime, func() {
			_ = h.tellPeer(node, &between.Message{Kind: between.Look, Token: w.token, User: []byte(w.user), Room: []byte(w.room)})
		})
		return
	}
	for list := m.List; ; {
		d, rest, ok := between.NextDevice(list)
		if !ok {
			break
		}
		list = rest
		at := otherLogin{node, d.Stamp}
		if slices.Contains(ended, at) {
			continue
		}
		sh := h.shardOf(string(d.User))
		sh.mu.Lock()
		if o := sh.comes(group, string(d.User), string(d.ID), at, silent); o != nil && d.Gone {
			sh.goes(o, func(l otherLogin) bool { return l == at }, true)
		}
		sh.unlock()
	}
	if m.Result == between.Last {
		v.mu.Lock()
		h.hasTold(w, node)
		v.mu.Unlock()
	}
}

// unlookCame has a node be told no more.
func (h *Hub) unlookCame(node string, m *between.Message) {
	v := &h.vigils
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dropLooker(string(m.Room), node)
}

// tellLookers tells the nodes that watch a room of a device here. With the lock of the user's shard held.
func (h *Hub) tellLookers(room, user, device string, stamp uint64, state envelope.State) {
	if h.cfg.Peers == nil {
		return
	}
	v := &h.vigils
	v.mu.Lock()
	nodes := v.lookers[room]
	v.mu.Unlock()
	if len(nodes) == 0 {
		return
	}
	m := between.Message{Kind: between.Seen, Room: []byte(room), User: []byte(user), Device: []byte(device), Stamp: stamp, Result: between.Came}
	if state == envelope.Offline {
		m.Result = between.Went
	}
	for _, node := range nodes {
		_ = h.tellPeer(node, &m)
	}
}

// seenCame takes what a node tells of a device in a room that is watched here.
func (h *Hub) seenCame(node string, m *between.Message) {
	user, id, group := string(m.User), string(m.Device), watchersOfRoom(string(m.Room))
	sh := h.shardOf(user)
	sh.mu.Lock()
	defer sh.unlock()
	if m.Result == between.Came {
		sh.comes(group, user, id, otherLogin{node, m.Stamp}, false)
		return
	}
	if d := sh.elsewhere(group, user, id); d != nil {
		sh.goes(d, func(o otherLogin) bool { return o.node == node && o.stamp <= m.Stamp }, false)
	}
}
