package peer

import (
	"math"
	"slices"
	"time"
)

const (
	// maxAlternates is how many bytes the addresses have together, with a comma each: as many as a
	// WELCOME takes.
	maxAlternates = 1024
	// rateStep is by which share the failover rate must change to be told.
	rateStep = 0.05
	// retuneTime is the least time between two.
	retuneTime = 100 * time.Millisecond
)

// retune tells what clients should be told, if that has changed. Each telling goes to all clients: loads that move
// a little are no reason, and what changes in a moment is told once.
func (m *Machine) retune(now Now, out *Out) {
	if !m.stale {
		return
	}
	if at := m.tuned + retuneTime; now.Since < at && m.tuned != 0 {
		m.wake(at)
		return
	}
	m.stale, m.tuned = false, max(now.Since, 1)
	var takers []*node
	rate := 0.0
	for _, p := range m.nodes {
		if p.live && p.state == Serving && p.address != "" {
			takers = append(takers, p)
			rate += p.load.AdmitRate * p.load.share()
		}
	}
	slices.SortFunc(takers, func(a, b *node) int {
		if d := b.load.magnitude() - a.load.magnitude(); d != 0 {
			return d
		}
		if m.weigh(a) > m.weigh(b) {
			return -1
		}
		return 1
	})
	t := Terms{FailoverRate: rate}
	bytes := 0
	for _, p := range takers {
		if bytes += len(p.address) + 1; bytes > maxAlternates || len(t.Alternates) == maxHeard {
			break
		}
		t.Alternates = append(t.Alternates, p.address)
	}
	if len(t.Alternates) == len(m.told.Alternates) && ordered(m.told.Alternates, takers) && math.Abs(rate-m.told.FailoverRate) <= rateStep*m.told.FailoverRate {
		return
	}
	m.told = t
	out.add(Action{Op: Retune, Terms: t})
}

// weigh orders peers that are alike, for each node another way: its clients do not all go to the same one.
func (m *Machine) weigh(p *node) uint64 {
	return mix(m.hash ^ mix(p.hash))
}

// ordered says whether addresses that were told are all of takers, none far behind one that has much fewer
// free places.
func ordered(told []string, takers []*node) bool {
	least := math.MaxInt
	for _, address := range told {
		i := slices.IndexFunc(takers, func(p *node) bool { return p.address == address })
		if i < 0 || takers[i].load.free()/2 > least {
			return false
		}
		least = min(least, takers[i].load.free())
	}
	return true
}
