package peer

import "time"

// Rebalancing: when a node has come, those that were there before and have clearly more clients than their share hand
// what is too much over to it, if it has less, at a pace that it has told, over half of it: the rest is for who comes by
// itself. Each node decides for itself, from what all have announced. A share goes by places, if all nodes have a
// bound, else it is the same for all.
//
// A round is planned once, from counts that do not change by themselves. The next is planned when what was told in the
// one before is in all counts: nobody is told for another who has not gone yet.
const (
	// armed is how long after a node has come clients are handed over to it: later differences have other reasons.
	armed = 10 * time.Minute
	// tooMany is by which factor a node must be above its share before it hands anybody over; then it goes
	// down to enough: what the others have told is a second old, and nobody is to be moved for that.
	tooMany = 1.1
	enough  = 1.005
	// leastSurplus is how many clients too much are worth moving anybody.
	leastSurplus = 16
	paceShare    = 0.5
	// sliceTime parts a second's clients: they do not come all at once.
	sliceTime = 100 * time.Millisecond
	// calmTime is how long the counts must have been calm, and how long after a round the next may be planned.
	calmTime = 5 * time.Second
	// goneTime is how long it may take those who were told to go; then it is asked of others.
	goneTime = 30 * time.Second
	// ripple is how many clients, or which part of them, may come to a node or go from it between two looks.
	ripple      = 4
	ripplesPart = 0.02
	// maxLag is how late a receiver's loops may be.
	maxLag = time.Second
)

// shift is what this node hands over.
type shift struct {
	until   time.Duration // when it is armed no more
	shares  []handover    // of the round under way
	sliceAt time.Duration // when the next are told; never: nobody is to be
	calmAt  time.Duration // when a round may begin
	own     int           // clients at the last look
	rest    int           // clients when all will have gone who were told to
	goneAt  time.Duration // when they are not waited for any more
}

// handover is what one node gets in a round.
type handover struct {
	to    *node
	left  int
	pace  float64 // in a slice
	carry float64
}

// arm notes that a node has come, or come back.
func (s *shift) arm(now Now) { s.until = now.Since + armed }

// end ends the round.
func (s *shift) end() { s.shares, s.sliceAt = s.shares[:0], never }

// standing is how the live nodes' clients are spread.
type standing struct {
	own       float64 // surplus of this node
	target    float64 // its share
	surplus   float64 // of all nodes that have one
	receivers []*node
	deficits  []float64
}

// rebalance looks once a second whether a round is to begin, or must end.
func (m *Machine) rebalance(now Now, out *Out) {
	s := &m.shift
	if now.Since > s.until || m.cfg.Stay || m.drain != 0 {
		s.end()
		return
	}
	if m.ripples(now) {
		s.end()
		s.calmAt = now.Since + calmTime
	}
	if len(s.shares) > 0 || now.Since < s.calmAt || now.Since < s.goneAt && m.load.Sessions > s.rest+ripples(s.rest) {
		return
	}
	st, settled := m.stand(now)
	if !settled || st.own < leastSurplus || float64(m.load.Sessions) <= tooMany*st.target {
		return
	}
	left, part := st.own, st.own/st.surplus
	for i, p := range st.receivers {
		pace := p.load.AdmitRate * paceShare * part
		if n := int(min(left, st.deficits[i]*part)); n >= 1 && pace > 0 {
			s.shares = append(s.shares, handover{to: p, left: n, pace: max(pace, 1) * sliceTime.Seconds()})
			left -= float64(n)
		}
	}
	s.rest = m.load.Sessions
	m.slice(now, out)
}

// slice tells the next clients to go.
func (m *Machine) slice(now Now, out *Out) {
	s := &m.shift
	s.sliceAt = never
	for i := range s.shares {
		h := &s.shares[i]
		if !h.to.live || h.to.state != Serving || h.to.load.Lag >= maxLag {
			h.left = 0
		}
		h.carry += h.pace
		n := min(int(h.carry), h.left)
		h.carry -= float64(n)
		h.left -= n
		if n > 0 {
			s.rest -= n
			s.goneAt, s.calmAt = now.Since+goneTime, now.Since+calmTime
			m.stats.Moved += uint64(n)
			out.add(Action{Op: Move, Node: h.to.name, Address: h.to.address, Count: n, More: h.left})
		}
		if h.left > 0 {
			s.sliceAt = now.Since + sliceTime
		}
	}
	if s.sliceAt == never {
		s.end()
	}
}

// ripples is how much a count of n may change by itself.
func ripples(n int) int { return max(ripple, int(ripplesPart*float64(n))) }

// ripples looks whether counts have changed since the last look by more than what is handed over: here, clients have come,
// or gone while nobody was told to; at others that have no less than their share, clients have come. What comes to one
// that has less may be handed over by another.
func (m *Machine) ripples(now Now) (found bool) {
	s := &m.shift
	by := m.load.Sessions - s.own
	found = by > ripples(s.own) || len(s.shares) == 0 && now.Since >= s.calmAt && -by > ripples(s.own)
	s.own = m.load.Sessions
	for _, p := range m.nodes {
		was := p.counted
		p.counted = p.load.Sessions
		if p.live && p.state == Serving && !m.came(now, p) && p.counted-was > ripples(was) {
			found = true
		}
	}
	return found
}

// came says whether a node may be handed clients for its coming: it was started after this one, or was away.
func (m *Machine) came(now Now, p *node) bool {
	return now.Since-p.since <= armed && (p.back || p.started >= m.started)
}

// stand says how clients are spread over the nodes that keep theirs. It is not settled while one of them has
// come a moment ago.
func (m *Machine) stand(now Now) (st standing, settled bool) {
	total, weights, bounded := m.load.Sessions, m.load.Sessions+m.load.Places, m.load.Places >= 0
	stay := 1
	for _, p := range m.nodes {
		if !p.live || p.state != Serving {
			continue
		}
		if now.Since-p.since < m.cfg.Settle {
			return st, false
		}
		total += p.load.Sessions
		weights += p.load.Sessions + p.load.Places
		bounded = bounded && p.load.Places >= 0
		stay++
	}
	share := func(l Load) float64 {
		if !bounded || weights == 0 {
			return float64(total) / float64(stay)
		}
		return float64(total) * float64(l.Sessions+l.Places) / float64(weights)
	}
	st.target = share(m.load)
	st.own = float64(m.load.Sessions) - enough*st.target
	st.surplus = max(st.own, 0)
	for _, p := range m.nodes {
		if !p.live || p.state != Serving {
			continue
		}
		switch d := share(p.load) - float64(p.load.Sessions); {
		case d < 0:
			st.surplus -= d
		case d > 0 && m.came(now, p) && p.load.Lag < maxLag && p.address != "":
			st.receivers, st.deficits = append(st.receivers, p), append(st.deficits, d)
		}
	}
	return st, true
}
