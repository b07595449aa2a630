package peer

import (
	"math"
	"math/bits"
	"time"
)

// Load is how a node is doing, as it tells its peers.
type Load struct {
	Sessions  int           // clients that it has
	Places    int           // free ones, for more clients; negative: no bound
	AdmitRate float64       // clients a second that it can let in
	Lag       time.Duration // how late its slowest loop is
}

// free is how many places are, without a bound for who has none.
func (l Load) free() int {
	if l.Places < 0 {
		return math.MaxInt
	}
	return l.Places
}

// magnitude orders nodes by their free places, roughly.
func (l Load) magnitude() int { return bits.Len(uint(l.free())) }

// share is the part of the places that is free.
func (l Load) share() float64 {
	if l.Places < 0 {
		return 1
	}
	return float64(l.Places) / max(float64(l.Places+l.Sessions), 1)
}

// State is what the node does with its clients.
func (m *Machine) State() State {
	switch {
	case m.left:
		return Left
	case m.drain != 0:
		return Draining
	default:
		return Serving
	}
}

// SetLoad tells how the node is doing. It is told to peers with the next announcement.
func (m *Machine) SetLoad(now Now, l Load, out *Out) {
	m.observe(now)
	m.load = l
}

// Drain tells the peers that this node hands its clients over, or does so no more. They name it to no
// client from then on. Whether it may is Draining's to say.
func (m *Machine) Drain(now Now, on bool, out *Out) {
	m.observe(now)
	if on == (m.drain != 0) || m.left {
		return
	}
	m.drain = 0
	if on {
		m.drain = max(m.clock.now(now.Wall), 1)
	}
	m.announce(now, out)
}

// Draining is a live peer that drains, and began before this node did; empty: there is none. Two drains
// at a time are for who insists.
func (m *Machine) Draining() string {
	for _, p := range m.nodes {
		if p.live && p.state == Draining && (m.drain == 0 || p.drain < m.drain || p.drain == m.drain && p.name < m.cfg.Node) {
			return p.name
		}
	}
	return ""
}
