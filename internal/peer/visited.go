package peer

import "slices"

// visited is a user of whom this node is the home.
type visited struct {
	sessions  []*entry // in no order
	places    map[sessionKey]int
	followers []*node
	later     bool // he is in homing.pending
}

// sessionKey is what a session is known by, among those of a user.
type sessionKey struct {
	owner *node
	stamp uint64
	id    string
}

// manySessions is how many a user has before their places are kept: nearly all have a few, but all clients may be one's.
const manySessions = 32

func (e *entry) key() sessionKey { return sessionKey{e.owner, e.claim.Stamp, e.id} }

// place is where a session is; -1: it is not there.
func (u *visited) place(k sessionKey) int {
	if u.places == nil {
		return slices.IndexFunc(u.sessions, func(e *entry) bool { return e.key() == k })
	}
	if i, there := u.places[k]; there {
		return i
	}
	return -1
}

// add lists a session. Twice is once.
func (u *visited) add(e *entry) {
	if u.place(e.key()) >= 0 {
		return
	}
	u.sessions = append(u.sessions, e)
	switch n := len(u.sessions); {
	case u.places != nil:
		u.places[e.key()] = n - 1
	case n > manySessions:
		u.keepPlaces()
	}
}

// remove takes a session off, if it is there.
func (u *visited) remove(k sessionKey) {
	i := u.place(k)
	if i < 0 {
		return
	}
	last := len(u.sessions) - 1
	u.sessions[i] = u.sessions[last]
	u.sessions[last] = nil
	u.sessions = u.sessions[:last]
	switch {
	case u.places == nil:
	case last <= manySessions/2:
		u.places = nil
	default:
		delete(u.places, k)
		if i < last {
			u.places[u.sessions[i].key()] = i
		}
	}
}

// drop takes all off that a node has registered.
func (u *visited) drop(owner *node) {
	u.sessions = slices.DeleteFunc(u.sessions, func(e *entry) bool { return e.owner == owner })
	u.followers = slices.DeleteFunc(u.followers, func(p *node) bool { return p == owner })
	if u.places != nil {
		u.keepPlaces()
	}
}

func (u *visited) keepPlaces() {
	if u.places = nil; len(u.sessions) <= manySessions {
		return
	}
	u.places = make(map[sessionKey]int, len(u.sessions))
	for i, e := range u.sessions {
		u.places[e.key()] = i
	}
}
