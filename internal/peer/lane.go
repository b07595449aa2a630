package peer

import (
	"encoding/binary"
	"time"
)

// lane is what this node has registered with another as a home, and told it as one: numbered frames of records, kept until
// the other says that they came. A lane begins when the other asks for it, since it has nothing of this node,
// and then all that it should know is told.
type lane struct {
	id     uint64 // 0: it has not begun
	frames [][]byte
	bytes  int
	first  uint64        // the number of frames[0], or of what is sent next
	sentAt time.Duration // when frames[0] was sent last
	open   []byte        // records of the frame that is being made
}

// laneIn is what has come of a peer's lane.
type laneIn struct {
	id    uint64 // 0: none has begun
	over  uint64 // those up to this are over: what they told is void
	taken uint64
	owed  bool // it is to be told
	gap   bool
	at    time.Duration // when it was asked to begin
}

const (
	// ackTime is how long what came of a lane may wait to be acknowledged.
	ackTime = 50 * time.Millisecond
)

// laneTo returns a place for records to a live peer's lane; nil: it has not begun, and will be told all.
func (m *Machine) laneTo(now Now, p *node) *[]byte {
	l := &p.lane
	if !p.live || l.id == 0 {
		return nil
	}
	if l.bytes+len(l.open) > m.cfg.LaneBytes {
		m.restartLane(now, p)
		return nil
	}
	if len(l.open) == 0 {
		m.lanes = append(m.lanes, p)
		if m.flushAt == never {
			m.flushAt = now.Since + m.cfg.Batch
			m.wake(m.flushAt)
		}
	}
	return &l.open
}

// restartLane has a lane begin anew in a moment, since too much waits in it.
func (m *Machine) restartLane(now Now, p *node) {
	p.lane, p.restart = lane{}, true
	m.lookBy(now.Since)
}

// flushLanes sends what waits.
func (m *Machine) flushLanes(now Now, out *Out) {
	for _, p := range m.lanes {
		l := &p.lane
		if len(l.open) == 0 || l.id == 0 {
			continue
		}
		if len(l.open) > MaxBody { // no bus would bring it
			m.restartLane(now, p)
			continue
		}
		frame := appendLaneHead(nil, p.epoch, l.id, l.first+uint64(len(l.frames)))
		frame = append(frame, l.open...)
		l.open = l.open[:0]
		if len(l.frames) == 0 {
			l.sentAt = now.Since
			m.lookBy(now.Since + askAgain)
		}
		l.frames = append(l.frames, frame)
		l.bytes += len(frame)
		m.sendFrame(p, frame, out)
	}
	clear(m.lanes)
	m.lanes = m.lanes[:0]
}

func (m *Machine) sendFrame(p *node, frame []byte, out *Out) {
	start := out.begin(kindRegister, m)
	out.data = append(out.data, frame...)
	m.publish(out, To, p.name, start)
}

// beginLane has a peer be told all anew.
func (m *Machine) beginLane(now Now, p *node, out *Out) {
	m.homing.lanes++
	p.lane = lane{id: m.homing.lanes, first: 1}
	p.resend, p.restart = true, false
	m.tellAnew(now, p, out)
	m.rescan(now)
}

// tickLane sends again what was not acknowledged, asks for a lane that has not begun, and acknowledges. It is called by
// lookAfter.
func (m *Machine) tickLane(now Now, p *node, out *Out) {
	l, in := &p.lane, &p.in
	if p.restart && m.homing.registers {
		m.beginLane(now, p, out)
	}
	if len(l.frames) > 0 {
		if now.Since >= l.sentAt+askAgain {
			m.sendLaneAgain(now, p, out)
		}
		m.lookBy(l.sentAt + askAgain)
	}
	if p.registers && in.id == 0 {
		if now.Since >= in.at {
			in.at = now.Since + askAgain
			m.sendTook(p, out)
		}
		m.lookBy(in.at)
	}
	if in.owed {
		if now.Since >= in.at {
			m.sendTook(p, out)
		} else {
			m.lookBy(in.at)
		}
	}
}

func (m *Machine) sendLaneAgain(now Now, p *node, out *Out) {
	p.lane.sentAt = now.Since
	bytes := 0
	for _, frame := range p.lane.frames {
		m.sendFrame(p, frame, out)
		if bytes += len(frame); bytes > sealBytes {
			break
		}
	}
}

// sendTook says what has come of a peer's lane; without one, up to which lane nothing more is taken.
func (m *Machine) sendTook(p *node, out *Out) {
	start := out.begin(kindTook, m)
	taken, flag := p.in.taken, bit(p.in.gap, 1)
	if p.in.id == 0 {
		taken = p.in.over
	}
	out.data = appendLaneHead(out.data, p.epoch, p.in.id, taken)
	out.data = append(out.data, flag)
	p.in.owed = false
	m.publish(out, To, p.name, start)
}

// took is TOOK: so far the peer has this node's lane; again: what is behind is missing.
func (m *Machine) took(now Now, p *node, id, taken uint64, again bool, out *Out) {
	l := &p.lane
	if !p.live || !m.homing.registers {
		return
	}
	if id == 0 {
		if l.id <= taken {
			m.beginLane(now, p, out)
		}
		return
	}
	if id != l.id {
		return
	}
	for len(l.frames) > 0 && l.first <= taken {
		l.bytes -= len(l.frames[0])
		l.frames[0] = nil
		l.frames = l.frames[1:]
		l.first++
		l.sentAt = now.Since
	}
	if again {
		m.sendLaneAgain(now, p, out)
	}
	if len(l.frames) > 0 {
		m.lookBy(l.sentAt + askAgain)
	}
}

// takeFrame is REGISTER.
func (m *Machine) takeFrame(now Now, p *node, id, number uint64, records []byte, out *Out) {
	in := &p.in
	if id <= in.over || id < in.id { // it was late, or is to be another
		m.stats.Stale++
		if in.id == 0 {
			m.lookBy(now.Since)
		}
		return
	}
	if in.id == 0 && number != 1 { // its beginning may have come to what was forgotten here since
		in.over = id
		m.lookBy(now.Since)
		return
	}
	if id > in.id {
		m.voidEntries(p)
		*in = laneIn{id: id, over: in.over}
	}
	switch {
	case number <= in.taken:
		m.owe(now, p)
		return
	case number > in.taken+1:
		if !in.gap {
			in.gap = true
			m.sendTook(p, out)
		}
		m.owe(now, p)
		return
	}
	in.taken, in.gap = number, false
	m.owe(now, p)
	for rest := records; len(rest) > 0; {
		body, k, size := nextRecord(rest)
		rest = rest[size:]
		m.takeRegistered(now, p, k, body, out)
	}
}

// endLaneIn has all be void that a peer has told by a lane, and it asked for another.
func (m *Machine) endLaneIn(p *node) {
	p.in = laneIn{over: max(p.in.over, p.in.id)}
	m.voidEntries(p)
}

func (m *Machine) owe(now Now, p *node) {
	if !p.in.owed {
		p.in.owed, p.in.at = true, now.Since+ackTime
		m.lookBy(p.in.at)
	}
}

// laneHeadLen is that of REGISTER and TOOK: the epoch of the receiver, the lane, and a number.
const laneHeadLen = 24

func appendLaneHead(dst []byte, epoch, id, number uint64) []byte {
	for _, v := range [...]uint64{epoch, id, number} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	return dst
}

func parseLaneHead(b []byte) (epoch, id, number uint64, rest []byte, err error) {
	if len(b) < laneHeadLen {
		return 0, 0, 0, nil, errMalformed
	}
	u64 := binary.BigEndian.Uint64
	return u64(b), u64(b[8:]), u64(b[16:]), b[laneHeadLen:], nil
}
