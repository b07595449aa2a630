package peer

// followed is a user of whom this node wants to know where he is.
type followed struct {
	user  string
	at    int    // in followList
	home  uint32 // the mark of the one that was told
	view  uint64 // as of then
	known keyed[knownAt]
}

// knownAt is a session of his of which the owner was told.
type knownAt struct {
	node  *node
	id    string
	claim Claim
	doubt bool // its node lists its sessions, and has not listed it yet
}

func (k knownAt) key() sessionKey { return sessionKey{k.node, k.claim.Stamp, k.id} }

// Follow has the owner be told of the sessions of a user at other nodes from now on. True: he has a home, which is asked where he
// is, again if he was followed: Known tells its answer, if it comes. Otherwise all logins are told to all.
func (m *Machine) Follow(now Now, user string, out *Out) (asked bool) {
	m.observe(now)
	if user == "" || len(user) > maxText || m.left {
		return false
	}
	f := m.follows[user]
	if f == nil {
		f = &followed{user: user, at: len(m.followList)}
		if m.follows == nil {
			m.follows = make(map[string]*followed)
		}
		m.follows[user], m.followList = f, append(m.followList, f)
	}
	if !m.homing.registers {
		return false
	}
	f.view = 0
	m.registerFollow(now, f, out)
	return true
}

// Unfollow ends that.
func (m *Machine) Unfollow(now Now, user string, out *Out) {
	m.observe(now)
	f := m.follows[user]
	if f == nil {
		return
	}
	delete(m.follows, user)
	hole := f.at
	if h := &m.homing; h.at != never && hole < h.user { // who was looked at stays before who was not
		h.user--
		m.placeFollow(m.followList[h.user], hole)
		hole = h.user
	}
	last := len(m.followList) - 1
	if hole < last { // else who stood there has gone, or has his new place
		m.placeFollow(m.followList[last], hole)
	}
	m.followList[last] = nil
	m.followList = m.followList[:last]
	if p := m.byMark(f.home); p != nil {
		m.tellFollow(now, p, recordUnfollow, user, out)
	}
}

// placeFollow has one who is followed stand there on the list.
func (m *Machine) placeFollow(f *followed, at int) { m.followList[at], f.at = f, at }

// registerFollow has the home of a user know that he is followed here.
func (m *Machine) registerFollow(now Now, f *followed, out *Out) {
	home := m.homeOf(f.user)
	if f.home == home.mark && f.view == m.homing.view && !home.resend {
		return
	}
	if old := m.byMark(f.home); old != nil && old != home {
		m.tellFollow(now, old, recordUnfollow, f.user, out)
	}
	f.home, f.view = home.mark, m.homing.view
	m.tellFollow(now, home, recordFollow, f.user, out)
}

func (m *Machine) tellFollow(now Now, p *node, k recordKind, user string, out *Out) {
	if p == m.own {
		m.takeFollow(now, p, user, k == recordFollow, out)
	} else if to := m.laneTo(now, p); to != nil {
		*to = appendText(*to, k, user)
	}
}

// takeState takes what a home says of a user.
func (m *Machine) takeState(now Now, p *node, s *state, out *Out) {
	f := m.follows[string(s.user)]
	if f == nil || f.home != p.mark {
		return
	}
	all := s.view != 0 && s.view == m.homing.view
	told := make(map[sessionKey]bool, len(s.sessions))
	for _, at := range s.sessions {
		n := m.known[string(at.node)]
		if n != nil && n.live && n.epoch == at.claim.Epoch {
			told[sessionKey{n, at.claim.Stamp, string(at.claim.ID)}] = true
		}
	}
	f.known.removeAll(func(k *knownAt) bool {
		if !all && k.node.name != string(s.owner) || told[k.key()] {
			return false
		}
		c := k.claim
		c.ID, c.User = []byte(k.id), s.user
		out.add(Action{Op: Logout, Node: k.node.name, Login: c})
		return true
	})
	for _, at := range s.sessions {
		k := knownAt{node: m.known[string(at.node)], id: string(at.claim.ID), claim: at.claim}
		k.claim.ID, k.claim.User = nil, nil
		if !told[k.key()] || !f.known.add(k) {
			continue
		}
		c := at.claim
		c.User = s.user
		out.add(Action{Op: Login, Node: k.node.name, Login: c})
	}
	if len(s.owner) == 0 {
		out.add(Action{Op: Known, Node: p.name, Login: Claim{User: s.user}, Sure: all})
	}
}

// noteFollowed keeps what is known of a user who is followed true by what a node tells to all.
func (m *Machine) noteFollowed(p *node, r *record) {
	f := m.follows[string(r.User)]
	if f == nil {
		return
	}
	k := knownAt{node: p, id: string(r.ID), claim: r.Claim}
	k.claim.ID, k.claim.User = nil, nil
	switch r.kind {
	case recordLogin:
		if !f.known.add(k) {
			f.known.sessions[f.known.place(k.key())].doubt = false
		}
	case recordLogout:
		f.known.remove(k.key())
	}
}

// doubtFollowed is for a node that is to list all its sessions: logouts that it has told homes may have been lost with them.
func (m *Machine) doubtFollowed(p *node) {
	for _, f := range m.followList {
		for i := range f.known.sessions {
			k := &f.known.sessions[i]
			k.doubt = k.doubt || k.node == p
		}
	}
}

// endDoubt tells that those sessions of a node have ended which it has not listed.
func (m *Machine) endDoubt(p *node, out *Out) {
	for _, f := range m.followList {
		f.known.removeAll(func(k *knownAt) bool {
			if k.node != p || !k.doubt {
				return false
			}
			c := k.claim
			c.ID, c.User = []byte(k.id), []byte(f.user)
			out.add(Action{Op: Logout, Node: p.name, Login: c})
			return true
		})
	}
}

// voidFollowed forgets what is known of users at a node that is down: the owner is told so by that.
func (m *Machine) voidFollowed(p *node) {
	for _, f := range m.followList {
		f.known.removeAll(func(k *knownAt) bool { return k.node == p })
	}
}
