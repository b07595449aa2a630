package peer

import "slices"

// directory is what this node knows as a home: the sessions that other nodes and it have registered with it, by
// client id and by user, and who follows which users. What a node has registered is void when that is down.
type directory struct {
	ids   map[string][]*entry
	users map[string]*visited

	contested map[string]struct{} // ids with more than one session
	followed  []string            // users whom somebody follows, in no order
	next      int                 // how many of those were looked at in the round that is under way
}

// entry is a session at a node.
type entry struct {
	owner *node
	id    string
	user  string
	claim Claim // without its texts
	roles byte  // those in which it is listed

	older, newer *entry // of those that its owner has registered
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
	asked := e.roles
	e.roles = 0
	if asked&roleID != 0 && !slices.ContainsFunc(d.ids[e.id], func(o *entry) bool { return o.key() == e.key() }) {
		if d.ids == nil {
			d.ids = make(map[string][]*entry)
		}
		d.ids[e.id] = append(d.ids[e.id], e)
		d.contest(e.id, len(d.ids[e.id]) > 1)
		e.roles |= roleID
		fresh = true
	}
	if asked&roleUser != 0 && d.user(e.user).add(e) {
		e.roles |= roleUser
	}
	if e.roles != 0 {
		e.link()
	}
	return fresh
}

// link puts e among what its owner has registered.
func (e *entry) link() {
	if e.older = e.owner.entries; e.older != nil {
		e.older.newer = e
	}
	e.owner.entries = e
}

// unlist notes that e is not listed in a role any more.
func (e *entry) unlist(role byte) {
	if e.roles &^= role; e.roles != 0 {
		return
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		e.owner.entries = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	}
	e.older, e.newer = nil, nil
}

// remove takes a session off.
func (d *directory) remove(owner *node, id, user []byte, stamp uint64, roles byte) {
	k := sessionKey{owner, stamp, string(id)}
	if roles&roleID != 0 {
		d.removeID(k)
	}
	if roles&roleUser != 0 {
		d.removeUser(string(user), k)
	}
}

func (d *directory) removeID(k sessionKey) {
	all := d.ids[k.id]
	i := slices.IndexFunc(all, func(e *entry) bool { return e.key() == k })
	if i < 0 {
		return
	}
	all[i].unlist(roleID)
	if len(all) == 1 {
		delete(d.ids, k.id)
		return
	}
	d.ids[k.id] = slices.Delete(all, i, i+1)
	d.contest(k.id, len(all) > 2)
}

// contest notes whether there is more than one session of an id.
func (d *directory) contest(id string, more bool) {
	switch {
	case !more:
		delete(d.contested, id)
	case d.contested == nil:
		d.contested = make(map[string]struct{})
		fallthrough
	default:
		d.contested[id] = struct{}{}
	}
}

func (d *directory) removeUser(name string, k sessionKey) {
	u := d.users[name]
	if u == nil {
		return
	}
	if e := u.remove(k); e != nil {
		e.unlist(roleUser)
	}
	d.tidy(name)
}

// follow notes that a node follows a user, or does so no more.
func (d *directory) follow(p *node, name string, on bool) {
	if on {
		if u := d.user(name); !slices.Contains(u.followers, p) {
			if len(u.followers) == 0 {
				u.at = len(d.followed)
				d.followed = append(d.followed, name)
			}
			u.followers = append(u.followers, p)
			if p.follows == nil {
				p.follows = make(map[string]struct{})
			}
			p.follows[name] = struct{}{}
		}
		return
	}
	delete(p.follows, name)
	if u := d.users[name]; u != nil {
		was := len(u.followers)
		u.followers = slices.DeleteFunc(u.followers, func(o *node) bool { return o == p })
		if was > 0 && len(u.followers) == 0 {
			d.unfollowed(u)
		}
		d.tidy(name)
	}
}

// unfollowed takes a user off the list of those whom somebody follows. Who was looked at in the round stays before who was not,
// and nobody is looked at twice: a round that began again there would not end where many go.
func (d *directory) unfollowed(u *visited) {
	hole := u.at
	if hole < d.next {
		d.next--
		d.place(d.followed[d.next], hole)
		hole = d.next
	}
	last := len(d.followed) - 1
	if hole < last { // else who stood there has gone, or has his new place
		d.place(d.followed[last], hole)
	}
	d.followed[last] = ""
	d.followed = d.followed[:last]
}

// place has a user whom somebody follows stand there on the list.
func (d *directory) place(name string, at int) {
	d.followed[at] = name
	d.users[name].at = at
}

// drop takes all off that a node has registered. It looks at nothing else: there may be millions.
func (d *directory) drop(owner *node) {
	for e := owner.entries; e != nil; e = owner.entries {
		k := e.key()
		if e.roles&roleID != 0 {
			d.removeID(k)
		}
		if e.roles&roleUser != 0 {
			d.removeUser(e.user, k)
		}
	}
	for name := range owner.follows {
		d.follow(owner, name, false)
	}
	owner.follows = nil
}

func (m *Machine) voidEntries(p *node) {
	m.directory.drop(p)
	p.whole = 0
}
