package peer

import (
	"math"

	"github.com/stormwheel/stormwheel/codec"
)

// Session is a session of this node, as its owner tells it.
type Session struct {
	ID, User    string // kept as they are, not copied
	Incarnation uint64 // 0: the client told none
	Attempt     uint32 // counts its connects: of two with one incarnation the one with the higher is the later
	Handle      uint64 // how the owner knows it, for End
	Stamp       uint64 // what Machine.Stamp has returned for it; 0: Open draws one
}

// Stamp is that of a login which is to be claimed by Open in a moment: greater than all that were seen, and than
// after, the latest that the client knows of, from its return pass. 0: it knows none.
func (m *Machine) Stamp(now Now, after uint64) uint64 {
	m.observe(now)
	return m.clock.next(now.Wall, after, m.number)
}

// Open claims a login, and returns its stamp. IDs of more than 255 bytes, which
// no client has, are claimed by nobody: the stamp is 0. So are empty ones.
func (m *Machine) Open(now Now, s Session, out *Out) (stamp uint64) {
	m.observe(now)
	if len(s.ID) > maxText || len(s.User) > maxText || s.ID == "" || m.table.count >= math.MaxUint32/2 {
		return 0
	}
	if stamp = s.Stamp; stamp == 0 {
		stamp = m.clock.next(now.Wall, 0, m.number)
	}
	entry := m.table.add(session{id: s.ID, user: s.User, incarnation: s.Incarnation, attempt: s.Attempt, stamp: stamp, handle: s.Handle, claimed: (m.log.head + 1) << 1})
	m.stats.Claimed++
	m.claim(now, recordLogin, entry, out)
	if m.homing.registers {
		m.register(now, entry, out)
	}
	return stamp
}

// Close tells that the session of a stamp has ended. One that is not there is no harm.
func (m *Machine) Close(now Now, id string, stamp uint64, out *Out) {
	m.observe(now)
	if s, there := m.table.remove(id, stamp); there {
		m.stats.Released++
		m.claim(now, recordLogout, &s, out)
		if m.homing.registers {
			m.unregister(now, &s, out)
		}
	}
}

// claim numbers a record. It leaves with those that come in the next moment.
func (m *Machine) claim(now Now, k recordKind, s *session, out *Out) {
	if m.left || m.homing.silent {
		return
	}
	if m.log.add(k, s) || m.cfg.Batch == 0 {
		m.flush(now, out)
	} else if m.flushAt == never {
		m.flushAt = now.Since + m.cfg.Batch
		m.wake(m.flushAt)
	}
}

// flush sends what waits. Nobody is told where no other node was ever seen: who comes asks.
func (m *Machine) flush(now Now, out *Out) {
	m.flushAt = never
	m.flushLanes(now, out)
	first, records := m.log.pending()
	if first == 0 {
		return
	}
	if len(m.nodes) > 0 {
		start := out.begin(kindClaims, m)
		out.data = appendClaims(out.data, first, records)
		m.publish(out, All, "", start)
	}
	m.log.publish(m.cfg.LogBytes)
}

// Quiet says that nothing claimed waits to be sent: a message that AppendMessage makes may
// be sent past the machine, and keeps its place behind what was claimed.
func (m *Machine) Quiet() bool { return m.log.published == m.log.head && len(m.lanes) == 0 }

// beats says whether an own session is later than a login elsewhere.
func (m *Machine) beats(s *session, c *Claim) bool {
	return laterOf(&Claim{Incarnation: s.incarnation, Attempt: s.attempt, Stamp: s.stamp, Epoch: m.cfg.Epoch}, c)
}

// laterOf says which of two logins of one id is the later. Of one process the later attempt is, whatever the stamps say: a
// HELLO may be read late, when its client has long gone on to another node.
func laterOf(a, b *Claim) bool {
	switch {
	case a.Incarnation == b.Incarnation && a.Incarnation != 0 && a.Attempt != b.Attempt:
		return a.Attempt > b.Attempt
	case a.Stamp != b.Stamp:
		return a.Stamp > b.Stamp
	}
	return a.Epoch > b.Epoch
}

// resolve compares a login elsewhere with the own ones of that client. The later stays: an own one that
// is earlier is to end; one that is later is told again to the other's node, by sendAgain.
func (m *Machine) resolve(now Now, p *node, c *Claim, out *Out) {
	m.clock.seen(c.Stamp >> numberBits)
	if !m.cfg.Replace {
		return
	}
	for place := m.table.first(c.ID); place != 0; place = m.table.after(place, c.ID) {
		switch s := m.table.at(place); {
		case s.losing():
		case m.beats(s, c):
			m.again = appendRecord(m.again, recordLogin, s)
			m.stats.Again++
			if s.stamp < c.Stamp { // the other's node may have heard of it before that login came: no gap would show it
				s.claimed = (m.log.head + 1) << 1
				m.claim(now, recordLogin, s, out)
			}
		default:
			s.lose()
			code := codec.CodeReplaced
			if s.incarnation == c.Incarnation && c.Incarnation != 0 {
				code = codec.CodeSuperseded
				m.stats.Superseded++
			} else {
				m.stats.Replaced++
			}
			out.add(Action{Op: End, Node: p.name, Login: *c, Handle: s.handle, Code: code})
		}
	}
	if len(m.again) >= sealBytes {
		m.sendAgain(p, out)
	}
}

// sendAgain tells a node what resolve has found to be later than its own.
func (m *Machine) sendAgain(p *node, out *Out) {
	if len(m.again) > 0 {
		start := out.begin(kindAgain, m)
		out.data = append(out.data, m.again...)
		m.publish(out, To, p.name, start)
		m.again = m.again[:0]
	}
}

// tell gives the owner a login or logout elsewhere.
func (m *Machine) tell(p *node, r *record, out *Out) {
	switch r.kind {
	case recordLogin:
		out.add(Action{Op: Login, Node: p.name, Login: r.Claim})
	case recordLogout:
		out.add(Action{Op: Logout, Node: p.name, Login: r.Claim})
	default:
		m.stats.Unknown++
		return
	}
	p.claims.told = true
	if len(m.follows) > 0 {
		m.noteFollowed(p, r)
	}
}

// reader goes through records that were counted.
type reader struct {
	record
	rest []byte
}

// next reads a record, if there is one.
func (r *reader) next() bool {
	body, k, size := nextRecord(r.rest)
	if size == 0 {
		return false
	}
	epoch := r.Epoch
	r.record, _ = parseRecord(body, k) // it was parsed before
	r.Epoch, r.rest = epoch, r.rest[size:]
	return true
}

// read begins to go through records of a node.
func (p *node) read(records []byte) reader {
	return reader{record: record{Claim: Claim{Epoch: p.epoch}}, rest: records}
}
