package messaging

import (
	"slices"
	"sync"
)

// Where a cluster has many nodes, this one is told of the logins of those users only whom it follows: there is something for
// them here, somebody watches them, or a device of theirs has gone from here and may be elsewhere.
type follows struct {
	mu sync.Mutex
	of map[string]uint8 // why
}

// Why a user is followed.
const (
	followPlaces = 1 << iota // his places are known
	followQueue              // messages wait for him here
	followWatch              // he is watched
	followGrace              // a device has gone from here
)

// followUser has this node be told of a user. True: his home was asked where he is. Any lock of the hub's may be held.
func (h *Hub) followUser(user string, why uint8) (asked bool) {
	if h.cfg.Peers == nil {
		return false
	}
	f := &h.follows
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.of[user]
	if was&why != 0 && why != followPlaces {
		return false
	}
	if f.of == nil {
		f.of = make(map[string]uint8)
	}
	f.of[user] = was | why
	if was != 0 && why != followPlaces {
		return false
	}
	return h.cfg.Peers.Follow(user)
}

// unfollowUser ends one reason for it.
func (h *Hub) unfollowUser(user string, why uint8) {
	f := &h.follows
	f.mu.Lock()
	defer f.mu.Unlock()
	switch was := f.of[user]; {
	case was&why == 0:
	case was == why:
		delete(f.of, user)
		h.cfg.Peers.Unfollow(user)
	default:
		f.of[user] = was &^ why
	}
}

// tidyFollows looks at some who are followed, whether there are reasons still that end without a word. Once a second.
func (h *Hub) tidyFollows() {
	f := &h.follows
	var names []string
	f.mu.Lock()
	most := len(f.of)/8 + 512
	for name, why := range f.of {
		if why&(followQueue|followGrace) != 0 {
			names = append(names, name)
		}
		if most--; most == 0 {
			break
		}
	}
	f.mu.Unlock()
	for _, name := range names {
		sh := h.shardOf(name)
		sh.mu.Lock()
		u := sh.users[name]
		if u == nil || !slices.ContainsFunc(u.seen, func(s sighted) bool { return s.sessions == 0 }) {
			h.unfollowUser(name, followGrace)
		}
		if (u == nil || u.puts == 0) && (h.cfg.Store == nil || h.cfg.Store.Waiting(name).Records == 0) {
			h.unfollowUser(name, followQueue)
		}
		sh.mu.Unlock()
	}
}

// atHome stands for a user's home among the nodes that are asked where he is.
const atHome = ""

// asksHome tells whether only the user's home was asked where he is, and has not answered. With the lock held.
func (p *places) asksHome() bool { return len(p.asked) == 1 && p.asked[0] == atHome }

// homeKnows is cluster.Handler.Known: a user's home has told all that it knows. Who is nowhere is asked for at all nodes: it may
// not know better.
func (h *Hub) homeKnows(name string, sure bool) {
	sh := h.shardOf(name)
	sh.mu.Lock()
	defer sh.unlock()
	u := sh.users[name]
	if u == nil || u.where == nil || !u.where.asksHome() {
		return
	}
	if u.where.asked = nil; sure && len(u.where.remotes) > 0 {
		u.found()
	} else {
		u.askAll()
	}
	u.settleIn()
}
