package peer

import "time"

// Rebalancing: when a node has joined, those that have clearly more clients than their share hand what is
// too much over to those that have less, at a pace that the receivers have told, over half of it: the
// rest is for who comes by itself. Each node decides for itself, from what all have announced. A share
// goes by places, if all nodes have a bound, else it is the same for all.
const (
	// armed is how long after a join clients are handed over: later differences have other reasons.
	armed = 10 * time.Minute
	// tooMany is by which factor a node must be above its share before it hands anybody over; then it goes
	// down to enough: what the others have told is a second old, and nobody is to be moved for that.
	tooMany = 1.1
	enough  = 1.01
	// leastSurplus is how many clients too much are worth moving anybody.
	leastSurplus = 16
	paceShare    = 0.5
	// underWay is how many slices before a count of clients may be in it still: they were told, and have
	// not gone yet.
	underWay = 3
	// sliceTime parts a second's clients: they do not come all at once.
	sliceTime = 100 * time.Millisecond
	// maxLag is how late a receiver's loops may be.
	maxLag = time.Second
)

// shift is what this node hands over.
type shift struct {
	until   time.Duration // when it is armed no more
	running bool
	shares  []handover
	unseen  int           // told, and in the latest count still
	latest  int           // told in the latest slice
	sliceAt time.Duration // when the next are told; never: nobody is to be
}

// handover is what one node gets in this second.
type handover struct {
	to    *node
	left  int
	pace  float64 // in a slice
	carry float64
}

func (s *shift) arm(now Now) { s.until = now.Since + armed }

func (s *shift) rest() { s.running, s.shares, s.sliceAt = false, s.shares[:0], never }

// counted is told of a new count of the own clients.
func (s *shift) counted() { s.unseen, s.latest = min(s.unseen, underWay*s.latest), 0 }

// standing is how the live nodes' clients are spread.
type standing struct {
	own       float64 // surplus of this node
	target    float64 // its share
	surplus   float64 // of all nodes that have one
	receivers []*node
	deficits  []float64
}

// rebalance plans the next second.
func (m *Machine) rebalance(now Now, out *Out) {
	s := &m.shift
	if now.Since > s.until || m.cfg.Stay || m.drain != 0 || m.left {
		s.rest()
		return
	}
	st, settled := m.stand(now)
	if !settled || st.own <= 0 || !s.running && (st.own < leastSurplus || float64(m.load.Sessions) <= tooMany*st.target) {
		s.rest()
		return
	}
	left := st.own - float64(s.unseen)
	s.running, s.shares = true, s.shares[:0]
	part := st.own / st.surplus
	for i, p := range st.receivers {
		pace := p.load.AdmitRate * paceShare * part
		n := min(left, pace*m.cfg.Announce.Seconds(), st.deficits[i]*part)
		if n >= 1 {
			s.shares = append(s.shares, handover{to: p, left: int(n), pace: max(pace, 1) * sliceTime.Seconds()})
			left -= n
		}
	}
	s.sliceAt = now.Since
	m.slice(now, out)
}

// slice tells the next clients to go.
func (m *Machine) slice(now Now, out *Out) {
	s := &m.shift
	s.sliceAt, s.latest = never, 0
	for i := range s.shares {
		h := &s.shares[i]
		h.carry += h.pace
		n := min(int(h.carry), h.left)
		h.carry -= float64(n)
		h.left -= n
		if n > 0 && h.to.live && h.to.state == Serving {
			s.unseen += n
			s.latest += n
			m.stats.Moved += uint64(n)
			out.add(Action{Op: Move, Node: h.to.name, Address: h.to.address, Count: n})
		}
		if h.left > 0 {
			s.sliceAt = now.Since + sliceTime
		}
	}
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
		case d > 0 && p.load.Lag < maxLag && p.address != "":
			st.receivers, st.deficits = append(st.receivers, p), append(st.deficits, d)
		}
	}
	return st, true
}
