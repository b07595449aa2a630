package cluster

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/peer"
)

const (
	growthLogins   = 50      // a second and node, and as many logouts
	growthSessions = 100_000 // of all nodes, for what one costs
)

// measureGrowth has a cluster of so many nodes without processes, in virtual time: what the machines say to each other is
// counted, and what one of them takes in a second is timed.
func measureGrowth(t kit.Task) (map[string]float64, error) {
	homes := -1
	if t.Subject == homed {
		homes = 1
	}
	s := newSimulation(t.Size, homes)
	empty := heap()
	s.meet()
	if err := s.settle(homes > 0); err != nil {
		return nil, err
	}
	n := float64(t.Size)
	figures := map[string]float64{"peer_bytes": (heap() - empty) / n / (n - 1)}
	s.counted = [2]traffic{}
	s.churn(homes < 0)
	figures["node_messages"], figures["node_bytes"] = s.counted[announced].of(n)
	figures["login_messages"], figures["login_bytes"] = s.counted[logins].of(n)
	figures["logins"] = s.logins / n
	figures["one_us"] = s.spent.Seconds() * 1e6
	figures["session_bytes"] = s.fill()
	return figures, nil
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// What is counted.
const (
	announced = iota // how nodes are doing
	logins           // all else
)

// traffic is what came to all nodes together.
type traffic struct{ messages, bytes float64 }

// of is that of one of n.
func (t traffic) of(n float64) (messages, bytes float64) {
	return t.messages / n, t.bytes / max(t.messages, 1)
}

// The times of a simulation.
const (
	simulatedWay   = 300 * time.Microsecond // from node to node
	simulatedSteps = 1000                   // of churn's second
)

// simulation is a cluster of machines and the bus between them.
type simulation struct {
	now    time.Duration
	all    []*simulated
	named  map[string]*simulated
	coming []arrival // in order: all take as long
	out    peer.Out
	rng    *rand.Rand

	onlyOne bool // what goes to all comes to the first alone: it would be the same for all
	counted [2]traffic
	logins  float64
	spent   time.Duration // by the first, for what has come to it
}

// simulated is a node.
type simulated struct {
	m     *peer.Machine
	id    string
	stamp uint64 // of the latest client
}

type arrival struct {
	at   time.Duration
	to   *simulated
	data []byte
}

func newSimulation(n, homes int) *simulation {
	s := &simulation{named: make(map[string]*simulated), rng: rand.New(rand.NewPCG(1, uint64(n)))}
	for i := range n {
		name := fmt.Sprintf("node-%03d", i)
		h := &simulated{id: fmt.Sprintf("client-%08d", i)}
		h.m = peer.New(peer.Config{Node: name, Epoch: uint64(i + 1), Seed: uint64(i), Address: fmt.Sprintf("10.0.0.%d:7000", i), Version: "v1.0.0",
			Replace: true, HomesAbove: homes, LogBytes: 1}, s.time())
		s.all, s.named[name] = append(s.all, h), h
	}
	return s
}

func (s *simulation) time() peer.Now {
	return peer.Now{Since: s.now, Wall: 1_800_000_000_000 + s.now.Milliseconds()}
}

// meet has all know each other, at once: what each answers to each that comes is not said.
func (s *simulation) meet() {
	for range 2 {
		var said [][]byte
		for _, h := range s.all {
			h.m.Tick(s.time(), &s.out)
			for _, a := range s.out.Actions {
				if a.Op == peer.Publish && a.Subject == peer.Nodes {
					said = append(said, append([]byte(nil), a.Data...))
				}
			}
			s.out.Reset()
		}
		for _, h := range s.all {
			for _, data := range said {
				h.m.Received(s.time(), data, &s.out)
				s.out.Reset()
			}
		}
		s.now += time.Second
	}
}

// settle lets time pass until logins are told as they are to be.
func (s *simulation) settle(homes bool) error {
	for range 10 {
		s.run(time.Second)
		ready := true
		for _, h := range s.all {
			ready = ready && h.m.Stats().Homes == homes && len(h.m.Members().Names()) == len(s.all)
		}
		if ready && s.now > 4*time.Second {
			return nil
		}
	}
	return fmt.Errorf("%d nodes do not agree", len(s.all))
}

// run lets time pass, in steps of a millisecond.
func (s *simulation) run(d time.Duration) {
	for end := s.now + d; s.now < end; s.now += time.Millisecond {
		s.step()
	}
}

// step does what is due.
func (s *simulation) step() {
	come := 0
	for ; come < len(s.coming) && s.coming[come].at <= s.now; come++ {
		a := s.coming[come]
		began := time.Now()
		a.to.m.Received(s.time(), a.data, &s.out)
		if a.to == s.all[0] {
			s.spent += time.Since(began)
		}
		s.obey(a.to)
	}
	s.coming = append(s.coming[:0], s.coming[come:]...)
	for _, h := range s.all {
		if s.now >= h.m.Deadline() {
			h.m.Tick(s.time(), &s.out)
			s.obey(h)
		}
	}
}

// obey brings what a node says to whom it is for.
func (s *simulation) obey(from *simulated) {
	for _, a := range s.out.Actions {
		if a.Op != peer.Publish {
			continue
		}
		what, times := logins, 1.0
		if a.Subject == peer.Nodes {
			what = announced
		}
		data := append([]byte(nil), a.Data...)
		switch {
		case a.Subject == peer.To:
			s.bring(s.named[a.Node], data)
		case s.onlyOne:
			times = float64(len(s.all) - 1)
			if from != s.all[0] {
				s.bring(s.all[0], data)
			}
		default:
			times = float64(len(s.all) - 1)
			for _, h := range s.all {
				if h != from {
					s.bring(h, data)
				}
			}
		}
		s.counted[what].messages += times
		s.counted[what].bytes += times * float64(len(data))
	}
	s.out.Reset()
}

func (s *simulation) bring(to *simulated, data []byte) {
	s.coming = append(s.coming, arrival{s.now + simulatedWay, to, data})
}

// churn is a second in which clients come to all nodes, and go.
func (s *simulation) churn(onlyOne bool) {
	s.onlyOne, s.spent = onlyOne, 0
	for range simulatedSteps {
		for _, h := range s.all {
			if s.rng.IntN(simulatedSteps) >= growthLogins {
				continue
			}
			if h.stamp != 0 {
				h.m.Close(s.time(), h.id, h.stamp, &s.out)
			}
			h.stamp = h.m.Open(s.time(), peer.Session{ID: h.id, User: "user-" + h.id[len(h.id)-7:], Incarnation: 1}, &s.out)
			s.logins++
			s.obey(h)
		}
		s.run(time.Second / simulatedSteps)
	}
}

// fill has many come, and returns what each costs all nodes in memory.
func (s *simulation) fill() float64 {
	s.coming = nil
	before := heap()
	each := growthSessions / len(s.all)
	for i := range each {
		for at, h := range s.all {
			id := fmt.Sprintf("client-%08d", (at+1)*1_000_000+i)
			h.m.Open(s.time(), peer.Session{ID: id, User: "user-" + id[len(id)-7:], Incarnation: 1}, &s.out)
			s.obeyIf(h, !s.onlyOne)
		}
		if i%8 == 7 {
			s.run(2 * time.Millisecond)
		}
	}
	s.run(200 * time.Millisecond)
	s.coming = nil
	got := (heap() - before) / float64(each*len(s.all))
	runtime.KeepAlive(s)
	return got
}

func (s *simulation) obeyIf(h *simulated, carried bool) {
	if carried {
		s.obey(h)
		return
	}
	s.out.Reset()
}
