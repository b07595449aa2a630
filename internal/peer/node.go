package peer

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// node is a peer as this one knows it: a run of a process, and what was seen of it. The run is reset when
// another one has its name.
type node struct {
	name             string
	hash             uint64 // of the name
	epoch, started   uint64
	number           uint16
	mark             uint32
	state            State
	address, version string
	load             Load
	drain            uint64

	live    bool
	gone    bool // the bus said so, and it was not heard since
	since   time.Duration
	heardAt time.Duration
	back    bool          // it was down, and is the same run
	counted int           // its clients when shift looked last
	hears   bool          // it says that it hears us
	hearsAt time.Duration // when it said so last, or proved it

	claims seen

	registers, silent bool // see homing
	lane              lane
	in                laneIn
	restart           bool
	resend            bool   // it is to be told all
	whole             uint64 // the view as of which it has told all

	entries *entry              // the latest that it has registered here, and by entry.older all
	follows map[string]struct{} // the users that it follows here
	anew    bool                // it is to be told all of them
}

// forgetAfter is how long a peer that is down is remembered: which of its claims were seen, and that a run
// of it has ended.
const forgetAfter = 10 * time.Minute

// later says whether a run of a name was started after another.
func later(started, epoch, thanStarted, thanEpoch uint64) bool {
	return started > thanStarted || started == thanStarted && epoch > thanEpoch
}

// audible says that it was heard of late.
func (p *node) audible(now Now, alive time.Duration) bool {
	return p.state != Left && !p.gone && now.Since-p.heardAt <= alive
}

// heard are the marks of those that are heard, and whether they are all.
func (m *Machine) heard(now Now) (marks []byte, whole bool) {
	for _, p := range m.nodes {
		if !p.audible(now, m.cfg.Alive) {
			continue
		}
		if len(marks) == maxHeard*markLen {
			return marks, false
		}
		marks = binary.BigEndian.AppendUint32(marks, p.mark)
	}
	return marks, true
}

// hear takes an announcement.
func (m *Machine) hear(now Now, h header, a *announcement, out *Out) {
	m.clock.seen(a.clock)
	if string(h.name) == m.cfg.Node {
		if later(a.started, h.epoch, m.started, m.cfg.Epoch) && a.state != Left && !m.rivaled {
			m.rivaled = true
			out.add(Action{Op: Replaced, Node: m.cfg.Node})
		}
		return
	}
	p := m.known[string(h.name)]
	if p == nil {
		if p = m.meet(now, string(h.name)); p == nil {
			m.stats.Stale++
			return
		}
	}
	if p.epoch != h.epoch {
		earlier := !later(a.started, h.epoch, p.started, p.epoch)
		if earlier && p.audible(now, m.cfg.Alive) {
			m.stats.Stale++
			return
		}
		m.down(now, p, out)
		*p = node{name: p.name, hash: p.hash, epoch: h.epoch, started: a.started, mark: markOf(p.name, h.epoch), claims: seen{next: 1}}
	}
	if p.state == Left {
		m.stats.Stale++ // it was late on the bus
		return
	}
	first := !p.audible(now, m.cfg.Alive) || p.heardAt == 0
	m.note(now, p, a)
	if p.state == Left {
		m.down(now, p, out)
		return
	}
	m.distinguish(p)
	if first {
		m.greet(now, out) // it knows that it is heard before it gets what is sent because of Up
	}
	if p.hears = a.hears(m.mark); p.hears {
		m.up(now, p, out)
	}
	m.look(now, p, out)
}

// note keeps what an announcement says. All claims that it counts were sent before it.
func (m *Machine) note(now Now, p *node, a *announcement) {
	m.stale = m.stale || p.state != a.state || p.address != string(a.address)
	p.number, p.state, p.load, p.drain = a.number, a.state, a.load, a.drain
	if p.address != string(a.address) {
		p.address = string(a.address)
	}
	if p.version != string(a.version) {
		p.version = string(a.version)
	}
	p.heardAt, p.gone = max(now.Since, 1), false
	if p.silent && !a.silent {
		p.claims.full = true
		m.doubtFollowed(p)
	}
	if p.registers && !a.registers {
		m.endLaneIn(p)
	}
	if !p.silent && a.silent {
		m.refollow(now)
	}
	if p.registers != a.registers {
		m.lookBy(now.Since)
	}
	p.registers, p.silent = a.registers, a.silent
	m.made(p, a.head, a.head)
}

// greet has the node announced at once, since another has come or must know that it is heard. Where there
// are too many to name them, that can wait.
func (m *Machine) greet(now Now, out *Out) {
	if len(m.nodes) <= maxHeard {
		m.announce(now, out)
	}
}

// meet makes room for another node. Nil: there is none.
func (m *Machine) meet(now Now, name string) *node {
	if len(m.nodes) >= m.cfg.MaxPeers {
		var oldest *node
		for _, p := range m.nodes {
			if !p.audible(now, m.cfg.Alive) && !p.live && (oldest == nil || p.heardAt < oldest.heardAt) {
				oldest = p
			}
		}
		if oldest == nil {
			return nil
		}
		m.forget(oldest)
	}
	p := &node{name: name, hash: xxhash.Sum64String(name)}
	m.known[name] = p
	i, _ := m.find(name)
	m.nodes = slices.Insert(m.nodes, i, p)
	return p
}

func (m *Machine) forget(p *node) {
	delete(m.known, p.name)
	i, _ := m.find(p.name)
	m.nodes = slices.Delete(m.nodes, i, i+1)
}

// distinguish draws another number if a node that was started earlier has it. Logins keep their stamps; of two
// that are equal the greater epoch counts as the later.
func (m *Machine) distinguish(p *node) {
	if p.number != m.number || later(p.started, p.epoch, m.started, m.cfg.Epoch) {
		return
	}
	for slices.ContainsFunc(m.nodes, func(p *node) bool { return p.number == m.number }) {
		m.number = uint16(m.draw.next())
	}
}

// up notes that a node hears us.
func (m *Machine) up(now Now, p *node, out *Out) {
	p.hears, p.hearsAt = true, now.Since
	if p.live {
		return
	}
	p.live, p.since = true, now.Since
	p.restart = true
	m.countMembers(now)
	m.lookBy(now.Since)
	m.lookBy(now.Since + m.cfg.Alive)
	m.shift.arm(now)
	out.add(Action{Op: Up, Node: p.name})
}

// down notes that a node is not there any more, if it was.
func (m *Machine) down(now Now, p *node, out *Out) {
	if !p.live {
		return
	}
	p.live, p.back, p.since = false, true, now.Since
	p.claims.void()
	p.lane = lane{}
	m.endLaneIn(p)
	m.voidFollowed(p)
	m.countMembers(now)
	if p.state == Left {
		m.stats.Leaves++
	} else {
		m.stats.Downs++
	}
	out.add(Action{Op: Down, Node: p.name})
}

// Gone is told when the bus knows that nobody hears what is sent to a node. It is down at once, until
// it announces itself again; but not within 2 s after this node was asleep: then the bus may be asked again.
func (m *Machine) Gone(now Now, node string, out *Out) {
	m.observe(now)
	if now.Since < m.excused {
		return
	}
	if p := m.known[node]; p != nil {
		p.gone, p.hears = true, false
		m.down(now, p, out)
		m.retune(now, out)
	}
}

// lookAfter does what is due of peers.
func (m *Machine) lookAfter(now Now, out *Out) {
	m.lookAt = never
	for _, p := range slices.Clone(m.nodes) {
		if !p.live {
			if now.Since-p.heardAt > forgetAfter {
				m.forget(p)
			}
			continue
		}
		silent := now.Since - min(p.heardAt, p.hearsAt)
		if silent > m.cfg.Alive {
			m.down(now, p, out)
			continue
		}
		m.lookBy(now.Since + m.cfg.Alive - silent + 1)
		m.look(now, p, out)
		m.tickLane(now, p, out)
	}
}

// lookBy has peers looked after at a time, or before.
func (m *Machine) lookBy(at time.Duration) {
	m.lookAt = min(m.lookAt, at)
	m.wake(at)
}
