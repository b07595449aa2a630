package peer

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
)

var (
	swarmSeeds = flag.Int("peer.seeds", 200, "how many seeds TestSwarm runs")
	swarmFrom  = flag.Uint64("peer.seed", 1, "the first seed of TestSwarm")
)

// swarm is a run of a cluster with faults, of which the seed draws how many of which.
type swarm struct {
	*world
	all     map[string][]*login
	cfg     Config
	names   []string
	clients map[string]*process // who has an id now

	logins, faults int  // out of a hundred steps
	ids            int  // how many client ids there are
	follows        bool // nodes follow users, and tell their logins to homes at the end
}

// process is a client's: it counts its connects, and knows the stamp of its latest login.
type process struct {
	incarnation uint64
	attempt     uint32
	pass        uint64
}

// TestSwarm: whatever fails, and comes back, in the end each client has one session, its latest, all nodes know all
// sessions, and agree about homes.
func TestSwarm(t *testing.T) {
	seeds := *swarmSeeds
	if testing.Short() || underRace { // there it takes ten times as long
		seeds = min(seeds, 60)
	}
	for i := range uint64(seeds) {
		seed := *swarmFrom + i
		t.Run(fmt.Sprint(seed), func(t *testing.T) { newSwarm(t, seed).play() })
		if t.Failed() {
			return
		}
	}
}

// TestSwarmIsTheSameAgain: a seed that failed fails again.
func TestSwarmIsTheSameAgain(t *testing.T) {
	for seed := range uint64(10) {
		var sums [2]uint64
		for i := range sums {
			s := newSwarm(t, seed)
			ends := s.trace
			digest := xxhash.New()
			s.trace = func(h *host, a Action) {
				fmt.Fprint(digest, s.now, h.name, a.Op, a.Node, a.Login.Stamp, a.Terms)
				_, _ = digest.Write(a.Data)
				ends(h, a)
			}
			s.play()
			sums[i] = digest.Sum64()
		}
		if sums[0] != sums[1] {
			t.Errorf("seed %d: %x, and then %x", seed, sums[0], sums[1])
		}
	}
}

func newSwarm(t *testing.T, seed uint64) *swarm {
	s := &swarm{world: newWorld(t, seed), all: make(map[string][]*login), clients: make(map[string]*process)}
	s.cfg, s.ids = Config{Replace: true}, 12
	s.trace = func(h *host, a Action) {
		if a.Op == Replaced {
			s.after(time.Duration(s.rng.IntN(50))*time.Millisecond, func() {
				if !h.dead {
					h.kill()
				}
			})
		}
	}
	if s.rng.IntN(2) == 0 {
		s.cfg.LogBytes = 200 // of a few claims
	}
	s.mix = s.rng.IntN(3) == 0
	s.delay = time.Duration(1+s.rng.IntN(20000)) * time.Microsecond
	if s.rng.IntN(2) == 0 {
		s.drop, s.double = s.rng.Float64()*0.3, s.rng.Float64()*0.3
	}
	s.logins, s.faults = 30+s.rng.IntN(60), s.rng.IntN(20)
	for i := range 2 + s.rng.IntN(4) {
		s.names = append(s.names, string(rune('a'+i)))
	}
	return s
}

// play has faults for a while, heals, and wants what should hold then.
func (s *swarm) play() {
	for _, name := range s.names {
		s.begin(name)
	}
	for end := s.now + time.Duration(10+s.rng.IntN(50))*time.Second; s.now < end; {
		s.run(time.Duration(s.rng.IntN(400)) * time.Millisecond)
		s.step()
	}
	s.heal()
	s.drop, s.double, s.mix = 0, 0, false
	s.delay = min(s.delay, 2*time.Millisecond)
	s.thaw()
	s.run(1500 * time.Millisecond) // of two with one name one ends
	for _, name := range s.names {
		if s.host(name) == nil {
			s.begin(name)
		}
	}
	s.run(2 * time.Second)
	s.checkOne(s.all)
	s.run(4 * time.Second)
	if s.follows {
		s.checkHomes(s.all)
	} else {
		s.check(s.all)
	}
}

func (s *swarm) begin(name string) {
	cfg := s.cfg
	cfg.Node = name
	s.start(cfg)
}

// thaw waits until nobody is frozen.
func (s *swarm) thaw() {
	until := s.now
	for _, h := range s.hosts {
		until = max(until, h.frozen)
	}
	s.run(until - s.now)
}

func (s *swarm) host(name string) *host {
	for _, h := range s.hosts {
		if h.name == name {
			return h
		}
	}
	return nil
}

func (s *swarm) any() *host { return s.hosts[s.rng.IntN(len(s.hosts))] }

func (s *swarm) step() {
	if len(s.hosts) == 0 {
		return
	}
	if s.rng.IntN(100) < s.faults {
		s.fail()
	}
	if s.rng.IntN(100) >= s.logins {
		return
	}
	id := fmt.Sprint("client", s.rng.IntN(s.ids))
	h := s.any()
	if s.now < h.frozen {
		return // it lets nobody in
	}
	if s.follows && s.rng.IntN(3) == 0 {
		if h.m.follows[id] == nil {
			h.follow(id)
		} else {
			h.m.Unfollow(h.time(), id, &h.out)
			h.obey()
		}
		return
	}
	if s.rng.IntN(4) == 0 {
		for _, l := range s.all[id] {
			if !l.closed && s.rng.IntN(2) == 0 {
				l.h.close(l)
			}
		}
		return
	}
	p := s.clients[id]
	if p == nil || s.rng.IntN(3) == 0 {
		p = &process{}
		if s.rng.IntN(3) > 0 {
			p.incarnation = s.rng.Uint64() | 1
		}
		s.clients[id] = p
	}
	if p.attempt > 1 && s.rng.IntN(6) == 0 { // an earlier HELLO is read, which no client waits for any more
		if !slices.ContainsFunc(h.byID[id], func(l *login) bool { return l.incarnation == p.incarnation && l.attempt == p.attempt }) {
			s.all[id] = append(s.all[id], h.openAs(id, p.incarnation, p.attempt-1, 0))
		}
		return
	}
	p.attempt++
	l := h.openAs(id, p.incarnation, p.attempt, p.pass)
	if l.stamp <= p.pass {
		s.t.Errorf("%x is not later than %x", l.stamp, p.pass)
	}
	p.pass = l.stamp
	s.all[id] = append(s.all[id], l)
}

// fail is one fault.
func (s *swarm) fail() {
	h, other := s.any(), s.any()
	long := time.Duration(s.rng.IntN(12_000)) * time.Millisecond
	switch s.rng.IntN(9) {
	case 0:
		h.freeze(long)
	case 1, 2:
		if h != other {
			s.part(h.name, other.name, s.rng.IntN(2) == 0)
			from, to := h.name, other.name
			s.after(long, func() { delete(s.cut, [2]string{from, to}); delete(s.cut, [2]string{to, from}) })
		}
	case 3: // alone
		for _, name := range s.names {
			if name != h.name {
				s.part(h.name, name, true)
			}
		}
		s.after(long, s.heal)
	case 4:
		h.skew += []int64{3_600_000, -3_600_000, 1000, -1000}[s.rng.IntN(4)]
	case 5:
		if len(s.hosts) > 1 {
			s.restart(h, long)
		}
	case 6:
		if h != other && s.now >= h.frozen {
			h.m.Gone(h.time(), other.name, &h.out)
			h.obey()
		}
	case 7:
		if s.now >= h.frozen {
			h.m.Drain(h.time(), h.m.State() != Draining, &h.out)
			h.obey()
		}
	case 8:
		s.rival(h, long)
	}
}

// rival begins another process of a name whose first one stands still, and comes back.
func (s *swarm) rival(h *host, long time.Duration) {
	h.freeze(long)
	s.after(long/2, func() {
		if h.dead || s.now >= h.frozen {
			return
		}
		for _, other := range s.hosts {
			if other != h && other.name == h.name {
				return
			}
		}
		s.begin(h.name)
	})
}

// restart ends a process, with or without a word, and begins another of its name, now or later.
func (s *swarm) restart(h *host, later time.Duration) {
	if s.rng.IntN(2) == 0 && s.now >= h.frozen {
		h.m.Leave(h.time(), &h.out)
		h.obey()
	}
	skew := h.skew
	h.kill()
	begin := func() {
		if s.host(h.name) == nil {
			s.begin(h.name)
			s.host(h.name).skew = skew
		}
	}
	if s.rng.IntN(2) == 0 {
		begin()
	} else {
		s.after(later, begin)
	}
}
