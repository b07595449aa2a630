package peer

import "slices"

// visited is a user of whom this node is the home.
type visited struct {
	keyed[*entry]
	followers []*node
	at        int  // in directory.followed, if there are any
	later     bool // he is in homing.pending
}

// sessionKey is what a session is known by, among those of a user.
type sessionKey struct {
	owner *node
	stamp uint64
	id    string
}

func (e *entry) key() sessionKey { return sessionKey{e.owner, e.claim.Stamp, e.id} }

// keyed are sessions of a user, in no order.
type keyed[S interface{ key() sessionKey }] struct {
	sessions []S
	places   map[sessionKey]int
}

// manySessions is how many a user has before their places are kept: nearly all have a few, but all clients may be one's.
const manySessions = 32

// place is where a session is; -1: it is not there.
func (u *keyed[S]) place(k sessionKey) int {
	if u.places == nil {
		return slices.IndexFunc(u.sessions, func(s S) bool { return s.key() == k })
	}
	if i, there := u.places[k]; there {
		return i
	}
	return -1
}

// add lists a session. Twice is once: then it is false.
func (u *keyed[S]) add(s S) bool {
	if u.place(s.key()) >= 0 {
		return false
	}
	u.sessions = append(u.sessions, s)
	switch n := len(u.sessions); {
	case u.places != nil:
		u.places[s.key()] = n - 1
	case n > manySessions:
		u.keepPlaces()
	}
	return true
}

// remove takes a session off, and returns it; nothing if it is not there.
func (u *keyed[S]) remove(k sessionKey) (s S) {
	i := u.place(k)
	if i < 0 {
		return s
	}
	last := len(u.sessions) - 1
	s, u.sessions[i] = u.sessions[i], u.sessions[last]
	clear(u.sessions[last:])
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
	return s
}

// removeAll takes those off that are gone. It asks once of each.
func (u *keyed[S]) removeAll(gone func(*S) bool) {
	left := u.sessions[:0]
	for i := range u.sessions {
		if !gone(&u.sessions[i]) {
			left = append(left, u.sessions[i])
		}
	}
	if len(left) == len(u.sessions) {
		return
	}
	clear(u.sessions[len(left):])
	u.sessions = left
	if u.places != nil {
		u.keepPlaces()
	}
}

func (u *keyed[S]) keepPlaces() {
	if u.places = nil; len(u.sessions) <= manySessions {
		return
	}
	u.places = make(map[sessionKey]int, len(u.sessions))
	for i, s := range u.sessions {
		u.places[s.key()] = i
	}
}
