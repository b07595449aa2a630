package messaging_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// forSeeds runs a test for some seeds: STORMWHEEL_SEEDS many from STORMWHEEL_SEED on.
func forSeeds(t *testing.T, n int, test func(t *testing.T, seed int)) {
	if more, err := strconv.Atoi(os.Getenv("STORMWHEEL_SEEDS")); err == nil {
		n = more
	}
	first, _ := strconv.Atoi(os.Getenv("STORMWHEEL_SEED"))
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { test(t, seed) })
	}
}

// trouble is a town whose nodes die, freeze and do not hear each other.
type trouble struct {
	*town
	rng    *rand.Rand
	cut    map[[2]string]bool // pairs of nodes between which nothing comes through
	lossy  atomic.Bool        // what hubs say is lost, or comes twice, now and then
	losses *rand.Rand         // with f.mu held
	during func(time.Duration)
	mends  bool      // who was frozen for long hears of the logins that it missed, as by a gap in their numbers
	deaf   int       // splits and freezes now
	ended  time.Time // when the last ended
}

// hears tells whether all nodes have heard each other for some time.
func (l *trouble) hears(since time.Duration) bool {
	return l.deaf == 0 && time.Since(l.ended) > since
}

func (l *trouble) isDeaf() (ends func()) {
	l.deaf++
	return func() {
		l.deaf--
		l.ended = time.Now()
	}
}

func newTrouble(w *town, seed int) *trouble {
	l := &trouble{town: w, rng: rand.New(rand.NewPCG(uint64(seed), otherWord(1))), losses: rand.New(rand.NewPCG(uint64(seed), 2)), cut: make(map[[2]string]bool)}
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	w.f.fault = l.fault
	w.f.deaf = func(from, to string) bool { return l.cut[[2]string{from, to}] }
	return l
}

func (l *trouble) fault(from, to string, _ []byte) int {
	switch {
	case l.cut[[2]string{from, to}] || l.f.nodes[from].ended:
		return 0
	case l.lossy.Load() && l.losses.IntN(4) == 0:
		return l.losses.IntN(3)
	}
	return 1
}

func (l *trouble) living() (all []*rig) {
	for _, r := range l.nodes {
		if !l.f.nodes[l.nameOf(r)].ended {
			all = append(all, r)
		}
	}
	return all
}

func (l *trouble) one() *rig { all := l.living(); return all[l.rng.IntN(len(all))] }

func (l *trouble) divide(a, b string, cut bool) {
	l.f.mu.Lock()
	defer l.f.mu.Unlock()
	l.cut[[2]string{a, b}], l.cut[[2]string{b, a}] = cut, cut
}

// split cuts two nodes off from each other for a while; each notices that and its end in its own time.
func (l *trouble) split(a, b string) {
	defer l.isDeaf()()
	l.divide(a, b, true)
	l.during(time.Duration(l.rng.IntN(2000)) * time.Millisecond)
	l.told(a, b, (*fabricNode).losesIt)
	l.during(time.Duration(l.rng.IntN(5000)) * time.Millisecond)
	l.divide(a, b, false)
	l.during(time.Duration(l.rng.IntN(500)) * time.Millisecond)
	l.told(a, b, (*fabricNode).meets)
	l.during(2 * time.Second)
}

// meets is sees, after which the other hears what it has not heard while it saw this one and was not seen.
func (n *fabricNode) meets(other *fabricNode) {
	n.sees(other)
	if !other.live[n.name] {
		return
	}
	for _, l := range n.logouts {
		other.push(func() { other.h.Logout(n.name, l) })
	}
	for _, l := range n.logins {
		n.login(other, l)
	}
}

func (n *fabricNode) losesIt(other *fabricNode) { n.loses(other.name) }

// told has two nodes be told something about each other, one after the other.
func (l *trouble) told(a, b string, what func(n, other *fabricNode)) {
	if l.rng.IntN(2) == 0 {
		a, b = b, a
	}
	for _, p := range [][2]string{{a, b}, {b, a}} {
		l.f.mu.Lock()
		what(l.f.nodes[p[0]], l.f.nodes[p[1]])
		l.f.mu.Unlock()
		l.during(time.Duration(l.rng.IntN(800)) * time.Millisecond)
	}
}

// freeze has a node hear nothing, and be lost by the others if that is long.
func (l *trouble) freeze(name string, d time.Duration) {
	defer l.isDeaf()()
	l.f.freeze(name, true)
	l.during(min(d, 3*time.Second))
	lost := d > 3*time.Second
	others := func(what func(n, other *fabricNode)) {
		l.f.mu.Lock()
		defer l.f.mu.Unlock()
		for other, n := range l.f.nodes {
			if other != name && !n.ended {
				what(n, l.f.nodes[name])
			}
		}
	}
	if lost {
		others((*fabricNode).losesIt)
		l.during(d - 3*time.Second)
	}
	if l.mends && lost {
		l.f.mu.Lock()
		for other, n := range l.f.nodes {
			if other != name && !n.ended {
				l.f.nodes[name].loses(other)
				l.f.nodes[name].sees(n)
			}
		}
		l.f.mu.Unlock()
	}
	l.f.freeze(name, false)
	l.during(100 * time.Millisecond)
	if lost {
		others((*fabricNode).meets)
	}
	l.during(time.Second)
}

// otherWord is the second word of a test's chance: another one, by STORMWHEEL_WORLD, is as many other worlds.
func otherWord(otherwise uint64) uint64 {
	if word, err := strconv.ParseUint(os.Getenv("STORMWHEEL_WORLD"), 10, 64); err == nil {
		return word
	}
	return otherwise
}
