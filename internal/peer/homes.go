package peer

import (
	"slices"
	"time"
)

// Up to some nodes each tells its logins to all. Above that each registers them with two homes: that of the client id, which
// sees which of two logins is the later, and that of the user, which tells those who follow him. Homes follow from
// who lives, so nodes may think of different ones for a moment: then each session is registered where its own node thinks,
// and again, when that changes. A node is silent, which is to tell its logins to homes alone, once all
// that it sees have registered theirs.

// homing is this node as one that registers.
type homing struct {
	registers  bool // it does
	registered bool // all was, where it belonged then
	silent     bool // and no login is told to all

	view uint64        // stands for those who live
	at   time.Duration // when the scan goes on; never: it is at its end
	next uint32        // place of the next session that it looks at
	user int           // the next of those who are followed

	lanes uint64 // how many have begun

	complete bool          // as a home, this node has all that belongs to it
	round    bool          // it looks at all who are followed, some at a time
	all      bool          // and has the followers of each be told all; else those to which it is to be told anew
	pending  []string      // users whose followers are to be told all
	stateAt  time.Duration // when these go on
}

const (
	scanPlaces = 4096 // sessions that one step of the scan looks at
	scanTime   = 2 * time.Millisecond
	scanUsers  = 512
)

// homeOf is the node that keeps key.
func (m *Machine) homeOf(key string) *node { return m.live[m.members.home(key)] }

// byMark is a live node; nil: it is none any more.
func (m *Machine) byMark(mark uint32) *node {
	for _, p := range m.live {
		if p.mark == mark {
			return p
		}
	}
	return nil
}

// viewChanged notes that others live than before.
func (m *Machine) viewChanged(now Now) {
	m.live = m.live[:0]
	m.homing.view = 0
	for _, name := range m.members.names {
		p := m.known[name]
		if name == m.cfg.Node {
			p = m.own
		}
		m.live = append(m.live, p)
		m.homing.view += mix(uint64(p.mark))
	}
	m.homing.complete = false
	m.chooseMode(now)
	m.rescan(now)
}

// chooseMode decides whether this node registers, and whether it is silent. The others are told with the next announcement.
func (m *Machine) chooseMode(now Now) {
	h := &m.homing
	switch n := len(m.live); {
	case h.registers && (m.cfg.HomesAbove < 0 || n <= m.cfg.HomesAbove*3/4):
		for _, name := range h.pending {
			if u := m.directory.users[name]; u != nil {
				u.later = false
			}
		}
		*h = homing{view: h.view, lanes: h.lanes, at: never}
		m.directory.drop(m.own)
		for _, p := range m.nodes {
			p.lane, p.anew = lane{}, false
		}
	case !h.registers && m.cfg.HomesAbove >= 0 && n > m.cfg.HomesAbove:
		h.registers, m.own.resend = true, true
		for _, p := range m.nodes {
			p.restart = true
		}
		m.lookBy(now.Since)
		m.rescan(now)
	}
	h.silent = h.registered && !slices.ContainsFunc(m.live, func(p *node) bool {
		return p != m.own && !p.registers && now.Since-p.since > modeTime
	})
}

// modeTime is how long one that has come may take to register, before logins are told to all for its sake.
const modeTime = 5 * time.Second

// rescan has all sessions, and users that are followed, be looked at: their homes may be others, or know nothing.
func (m *Machine) rescan(now Now) {
	h := &m.homing
	if !h.registers {
		return
	}
	h.complete = false
	h.next, h.user = 0, 0
	h.at = min(h.at, now.Since)
	m.wake(h.at)
}

// refollow has the homes of all who are followed say anew where they are: what a node said to all, and says no more, may
// have come behind what homes say.
func (m *Machine) refollow(now Now) {
	for _, f := range m.followList {
		f.view = 0
	}
	if len(m.followList) > 0 {
		m.rescan(now)
	}
}

// tickHomes goes on with what is under way.
func (m *Machine) tickHomes(now Now, out *Out) {
	h := &m.homing
	if now.Since >= h.at {
		h.at = never
		if !m.scan(now, out) {
			h.at = now.Since + scanTime
		}
	}
	if h.telling() && now.Since >= h.stateAt {
		m.goRound()
		m.tellPending(now, out)
		h.stateAt = now.Since + scanTime
	}
	if h.telling() {
		m.wake(h.stateAt)
	}
	m.wake(h.at)
}

// telling says that followers are to be told more.
func (h *homing) telling() bool { return h.round || len(h.pending) > 0 }

// tellPending is a step of that.
func (m *Machine) tellPending(now Now, out *Out) {
	h := &m.homing
	n := min(len(h.pending), scanUsers)
	for i, name := range h.pending[:n] {
		u := m.directory.users[name]
		if u == nil {
			continue
		}
		if !m.tellState(now, name, u, nil, out) {
			n = i // a lane is full: later
			break
		}
		u.later = false
	}
	h.pending = append(h.pending[:0], h.pending[n:]...)
}

// beginRound has all who are followed be looked at. All may be very many, and whoever logs in waits for the machine.
func (m *Machine) beginRound(now Now) {
	h := &m.homing
	m.directory.next = 0
	if !h.telling() {
		h.stateAt = now.Since
	}
	h.round = true
	m.wake(h.stateAt)
}

// goRound is a step of that.
func (m *Machine) goRound() {
	h, d := &m.homing, &m.directory
	if !h.round {
		return
	}
	for end := d.next + scanUsers; d.next < min(len(d.followed), end); d.next++ {
		name := d.followed[d.next]
		u := d.users[name]
		if !u.later && (h.all || slices.ContainsFunc(u.followers, func(p *node) bool { return p.anew })) {
			u.later = true
			h.pending = append(h.pending, name)
		}
	}
	if d.next == len(d.followed) {
		m.endRound()
	}
}

func (m *Machine) endRound() {
	m.homing.round, m.homing.all = false, false
	for _, p := range m.nodes {
		p.anew = false
	}
}

// full says whether no more should be told to a node than what happens: so much is on its way.
func (m *Machine) full(p *node) bool { return p.lane.bytes+len(p.lane.open) > m.cfg.LaneBytes/4 }

// scan is a step; true: it is at its end.
func (m *Machine) scan(now Now, out *Out) bool {
	h := &m.homing
	for end := h.next + scanPlaces; h.next < min(m.table.used, end); h.next++ {
		s := m.table.at(h.next + 1)
		if s.stamp == 0 {
			continue
		}
		if m.full(m.homeOf(s.id)) || m.full(m.homeOf(s.user)) {
			return false
		}
		m.register(now, s, out)
	}
	if h.next < m.table.used {
		return false
	}
	for end := h.user + scanUsers; h.user < min(len(m.followList), end); h.user++ {
		f := m.followList[h.user]
		if m.full(m.homeOf(f.user)) {
			return false
		}
		m.registerFollow(now, f, out)
	}
	if h.user < len(m.followList) {
		return false
	}
	h.registered = true
	for _, p := range m.live {
		p.resend = false
		if to := m.laneTo(now, p); to != nil {
			*to = appendWhole(*to, h.view)
		}
	}
	m.chooseMode(now)
	m.checkComplete(now)
	return true
}

// checkComplete notes when all live nodes have told this one all that belongs to it: who follows is told what is then
// known to be true, and what is not.
func (m *Machine) checkComplete(now Now) {
	h := &m.homing
	was := h.complete
	h.complete = h.registered && h.at == never && !slices.ContainsFunc(m.live, func(p *node) bool { return p != m.own && p.whole != h.view })
	if !h.complete || was {
		return
	}
	h.all = true
	m.beginRound(now)
}

// register has the homes of a session know it.
func (m *Machine) register(now Now, s *session, out *Out) {
	var homes [2]*node
	for i, key := range [2]string{s.id, s.user} {
		homes[i] = m.homeOf(key)
	}
	var roles [2]byte
	for i, role := range [2]byte{roleID, roleUser} {
		before := s.homes[i]
		if before == homes[i].mark && !homes[i].resend {
			continue
		}
		roles[i] = role
		s.homes[i] = homes[i].mark
		if old := m.byMark(before); old != nil && old != homes[i] {
			m.tellSession(now, old, recordAway, s, role, out)
		}
	}
	if homes[0] == homes[1] {
		roles[0] |= roles[1]
		roles[1] = 0
	}
	for i, p := range homes {
		if roles[i] != 0 {
			m.tellSession(now, p, recordLogin, s, roles[i], out)
		}
	}
}

// unregister has them know that it has ended.
func (m *Machine) unregister(now Now, s *session, out *Out) {
	for i, role := range [2]byte{roleID, roleUser} {
		if p := m.byMark(s.homes[i]); p != nil {
			m.tellSession(now, p, recordLogout, s, role, out)
		}
	}
}

func (m *Machine) tellSession(now Now, p *node, k recordKind, s *session, roles byte, out *Out) {
	if p == m.own {
		m.takeSession(now, p, k, &Claim{ID: []byte(s.id), User: []byte(s.user), Incarnation: s.incarnation, Attempt: s.attempt, Stamp: s.stamp, Epoch: p.epoch}, roles, out)
		return
	}
	if to := m.laneTo(now, p); to != nil {
		*to = appendSession(*to, k, s, roles)
	}
}
