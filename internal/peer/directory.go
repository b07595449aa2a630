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
	if e.roles&roleID != 0 && !slices.ContainsFunc(d.ids[e.id], func(o *entry) bool { return o.key() == e.key() }) {
		if d.ids == nil {
			d.ids = make(map[string][]*entry)
		}
		d.ids[e.id] = append(d.ids[e.id], e)
		fresh = true
	}
	if e.roles&roleUser != 0 {
		d.user(e.user).add(e)
	}
	return fresh
}

// remove takes a session off.
func (d *directory) remove(owner *node, id, user []byte, stamp uint64, roles byte) {
	k := sessionKey{owner, stamp, string(id)}
	if roles&roleID != 0 {
		d.dropIDs(k.id, func(e *entry) bool { return e.key() == k })
	}
	if u := d.users[string(user)]; u != nil && roles&roleUser != 0 {
		u.remove(k)
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
		u.drop(owner)
		d.tidy(name)
	}
}

func (m *Machine) voidEntries(p *node) {
	m.directory.drop(p)
	p.whole = 0
}
