package peer

import "slices"

// What this node does as a home.

// takeRegistered takes a record of a lane.
func (m *Machine) takeRegistered(now Now, p *node, k recordKind, body []byte, out *Out) {
	switch k {
	case recordLogin, recordLogout, recordAway:
		c, roles, err := parseSession(body, k)
		if err != nil {
			m.stats.Malformed++
			return
		}
		c.Epoch = p.epoch
		m.takeSession(now, p, k, &c, roles, out)
	case recordFollow, recordUnfollow:
		m.takeFollow(now, p, string(body), k == recordFollow, out)
	case recordWhole:
		if len(body) >= 8 {
			p.whole = parseWhole(body)
			m.checkComplete(now)
		}
	case recordState:
		if s, err := parseState(body); err == nil {
			m.takeState(now, p, &s, out)
		}
	case recordBeaten:
		if name, c, err := parseBeaten(body); err == nil {
			m.takeBeaten(now, string(name), &c, out)
		}
	default:
		m.stats.Unknown++
	}
}

// takeBeaten ends what is here of a client that has a later login elsewhere, of which the owner is told.
func (m *Machine) takeBeaten(now Now, name string, c *Claim, out *Out) {
	place := m.table.first(c.ID)
	if place == 0 {
		return
	}
	c.User = []byte(m.table.at(place).user)
	m.resolve(now, &node{name: name}, c, out)
	m.again = m.again[:0] // the home has compared the same two
	if p := m.known[name]; p != nil && p.live && p.epoch == c.Epoch && m.follows[string(c.User)] == nil {
		out.add(Action{Op: Login, Node: name, Login: *c})
	}
}

// takeSession lists a session with its home, which is this node, or takes it off.
func (m *Machine) takeSession(now Now, p *node, k recordKind, c *Claim, roles byte, out *Out) {
	m.clock.seen(c.Stamp >> numberBits)
	if k == recordLogin {
		e := &entry{owner: p, id: string(c.ID), user: string(c.User), roles: roles, claim: *c}
		e.claim.ID, e.claim.User = nil, nil
		if m.directory.add(e) && m.cfg.Replace {
			m.compare(now, e, out)
		}
	} else {
		m.directory.remove(p, c.ID, c.User, c.Stamp, roles)
	}
	if k == recordAway || roles&roleUser == 0 {
		return
	}
	if u := m.directory.users[string(c.User)]; u != nil && len(u.followers) > 0 && !m.tellState(now, string(c.User), u, p, out) {
		m.tellLater(now, string(c.User))
	}
}

// compare tells the nodes of the sessions of an id that are earlier than another.
func (m *Machine) compare(now Now, e *entry, out *Out) {
	for _, o := range slices.Clone(m.directory.ids[e.id]) {
		switch {
		case o == e || o.owner == e.owner && o.claim.Stamp == e.claim.Stamp:
		case laterOf(&o.claim, &e.claim):
			m.tellBeaten(now, e, o, out)
		default:
			m.tellBeaten(now, o, e, out)
		}
	}
}

func (m *Machine) tellBeaten(now Now, loser, winner *entry, out *Out) {
	c := winner.claim
	c.ID, c.User = []byte(winner.id), []byte(winner.user)
	if loser.owner == winner.owner {
		return // their node has seen to it
	}
	if loser.owner == m.own {
		m.takeBeaten(now, winner.owner.name, &c, out)
		return
	}
	if to := m.laneTo(now, loser.owner); to != nil {
		*to = appendBeaten(*to, winner.owner.name, &c)
	}
}

// takeFollow notes who follows a user.
func (m *Machine) takeFollow(now Now, p *node, user string, on bool, out *Out) {
	if len(user) == 0 || len(user) > maxText {
		m.stats.Malformed++
		return
	}
	m.directory.follow(p, user, on)
	if on {
		m.tellLater(now, user)
	}
}

// tellLater has the followers of a user who is listed be told all of him in a moment, once.
func (m *Machine) tellLater(now Now, user string) {
	h, u := &m.homing, m.directory.users[user]
	if u.later {
		return
	}
	u.later = true
	if !h.telling() {
		h.stateAt = now.Since
	}
	h.pending = append(h.pending, user)
	m.wake(h.stateAt)
}

// tellState tells the followers of a user where he is: at one node, or at all. False: a lane is full.
func (m *Machine) tellState(now Now, user string, u *visited, owner *node, out *Out) bool {
	if slices.ContainsFunc(u.followers, m.full) {
		return false
	}
	s := state{user: []byte(user)}
	if owner != nil {
		s.owner = []byte(owner.name)
	} else if m.homing.complete {
		s.view = m.homing.view
	}
	for _, e := range u.sessions {
		if owner == nil || e.owner == owner {
			c := e.claim
			c.ID = []byte(e.id)
			s.sessions = append(s.sessions, sessionAt{[]byte(e.owner.name), c})
		}
		if len(s.sessions) > maxState {
			break // they are not all told
		}
	}
	for _, p := range u.followers {
		if p == m.own {
			m.takeState(now, p, &s, out)
		} else if to := m.laneTo(now, p); to != nil {
			*to = appendState(*to, &s)
		}
	}
	return true
}

// tellAnew has a node, whose lane begins anew, be told all that was told on the one before, and may be lost.
func (m *Machine) tellAnew(now Now, p *node, out *Out) {
	if len(p.follows) > 0 {
		p.anew = true
		m.beginRound(now)
	}
	if !m.cfg.Replace {
		return
	}
	var ids []string
	for id := range m.directory.contested {
		if slices.ContainsFunc(m.directory.ids[id], func(e *entry) bool { return e.owner == p }) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		for _, e := range m.directory.ids[id] {
			m.compare(now, e, out)
		}
	}
}
