package peer

import (
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"
)

const (
	// maxAlternates is how many bytes the addresses have together, with a comma each: as many as a
	// WELCOME takes.
	maxAlternates = 1024
	// rateStep is by which share the failover rate must change to be told.
	rateStep = 0.05
)

// retune tells what clients should be told, if that has changed. Each telling goes to all clients: loads that move
// a little are no reason.
func (m *Machine) retune(out *Out) {
	if !m.stale {
		return
	}
	m.stale = false
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
	return mix(xxhash.Sum64String(m.cfg.Node) ^ mix(xxhash.Sum64String(p.name)))
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
