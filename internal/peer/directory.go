package peer

import "slices"

// directory is what this node knows as a home: the sessions that other nodes and it have registered with it, by
// client id and by user, and who follows which users. What a node has registered is void when that is down.
type directory struct {
	ids   map[string][]*entry
	users map[string]*visited
}

// entry is a session at a node.
type entry struct {
	owner *node
	id    string
	user  string
	claim Claim // without its texts
	roles byte
}

// visited is a user of whom this node is the home.
type visited struct {
	sessions  []*entry
	followers []*node
	later     bool // he is in homing.pending
}

// The roles of a home for a session.
const (
	roleID   = 1 // of the client id: it sees which of two logins is the later
	roleUser = 2 // of the user: it tells who follows him
)

func (d *directory) user(name string) *visited {
	u := d.users[name]
	if u == nil {
		if d.users == nil {
			d.users = make(map[string]*visited)
		}
		u = new(visited)
		d.users[name] = u
	}
	return u
}

func (d *directory) tidy(name string) {
	if u := d.users[name]; u != nil && len(u.sessions) == 0 && len(u.followers) == 0 {
		delete(d.users, name)
	}
}

// add lists a session. Twice is once.
func (d *directory) add(e *entry) (fresh bool) {
	same := func(o *entry) bool { return o.owner == e.owner && o.claim.Stamp == e.claim.Stamp && o.id == e.id }
	if e.roles&roleID != 0 && !slices.ContainsFunc(d.ids[e.id], same) {
		if d.ids == nil {
			d.ids = make(map[string][]*entry)
		}
		d.ids[e.id] = append(d.ids[e.id], e)
		fresh = true
	}
	if e.roles&roleUser != 0 {
		if u := d.user(e.user); !slices.ContainsFunc(u.sessions, same) {
			u.sessions = append(u.sessions, e)
		}
	}
	return fresh
}

// remove takes a session off.
func (d *directory) remove(owner *node, id, user []byte, stamp uint64, roles byte) {
	gone := func(e *entry) bool { return e.owner == owner && e.claim.Stamp == stamp && e.id == string(id) }
	if roles&roleID != 0 {
		d.dropIDs(string(id), gone)
	}
	if u := d.users[string(user)]; u != nil && roles&roleUser != 0 {
		u.sessions = slices.DeleteFunc(u.sessions, gone)
		d.tidy(string(user))
	}
}

func (d *directory) dropIDs(id string, gone func(*entry) bool) {
	if left := slices.DeleteFunc(d.ids[id], gone); len(left) > 0 {
		d.ids[id] = left
	} else {
		delete(d.ids, id)
	}
}

// drop takes all off that a node has registered.
func (d *directory) drop(owner *node) {
	its := func(e *entry) bool { return e.owner == owner }
	for id := range d.ids {
		d.dropIDs(id, its)
	}
	for name, u := range d.users {
		u.sessions = slices.DeleteFunc(u.sessions, its)
		u.followers = slices.DeleteFunc(u.followers, func(p *node) bool { return p == owner })
		d.tidy(name)
	}
}

func (m *Machine) voidEntries(p *node) {
	m.directory.drop(p)
	p.whole = 0
}
