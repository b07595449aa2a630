package gate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// node is a queue that is served at a rate, whose length is held to a second of the rate
// that was measured, as the server does with its accept queue.
type node struct {
	p        *Pacer
	now      time.Duration
	capacity float64 // clients a second that it can serve
	offered  float64 // clients a second that come

	queue  float64
	served float64
}

const step = 250 * time.Millisecond

func newNode(ceiling float64) *node { return &node{p: NewPacer(ceiling, 0)} }

func (n *node) run(d time.Duration, each func()) {
	for end := n.now + d; n.now < end; {
		n.now += step
		room := max(0, n.p.Pace()-n.queue)
		if !n.p.Overloaded() {
			room = math.MaxFloat64
		}
		n.queue += min(n.offered*step.Seconds(), room)
		served := min(n.queue, n.capacity*step.Seconds())
		n.queue -= served
		n.served += served
		wait := time.Duration(n.queue / n.capacity * float64(time.Second))
		n.p.Observe(n.now, Sample{Taken: uint64(n.served), Waited: wait})
		if each != nil {
			each()
		}
	}
}

func TestPaceIsTheCeilingWithoutOverload(t *testing.T) {
	n := newNode(2000)
	n.capacity = 20000
	for _, n.offered = range []float64{0, 100, 2000, 0} {
		n.run(10*time.Second, func() {
			if n.p.Pace() != 2000 || n.p.Overloaded() {
				t.Fatalf("at %v: pace %v, overloaded %v, want 2000 and not", n.now, n.p.Pace(), n.p.Overloaded())
			}
		})
	}
}

// A step of the load, from a tenth to ten times what the node can do.
func TestPaceFindsWhatTheNodeCanDoAndStaysThere(t *testing.T) {
	for _, ceiling := range []float64{1000, 2000, 20000, 1e7} {
		for _, capacity := range []float64{8, 79, 790} {
			n := newNode(ceiling)
			n.capacity, n.offered = capacity, capacity*10
			n.run(30*time.Second, nil)
			low, high, from := math.Inf(1), 0.0, n.served
			n.run(60*time.Second, func() { low, high = min(low, n.p.Pace()), max(high, n.p.Pace()) })
			if low < capacity*0.9 || high > capacity*1.5 || high > low*1.2 {
				t.Errorf("ceiling %v, capacity %v: pace between %.1f and %.1f", ceiling, capacity, low, high)
			}
			if goodput := (n.served - from) / 60; goodput < 0.95*capacity {
				t.Errorf("ceiling %v, capacity %v: served %.1f a second", ceiling, capacity, goodput)
			}
		}
	}
}

func TestPaceRecoversWithinTenSeconds(t *testing.T) {
	n := newNode(20000)
	n.capacity, n.offered = 100, 5000
	n.run(time.Minute, nil)
	n.capacity, n.offered = 50000, 10
	began := n.now
	n.run(10*time.Second, nil)
	if n.p.Pace() != 20000 {
		t.Errorf("pace %v, %v after the load was gone, want 20000", n.p.Pace(), n.now-began)
	}
}

// Square wave, ramp and noise, for an hour: the pace stays within its bounds, and what is
// offered is served whenever the node can.
func TestPaceStaysWithinBoundsForAnHour(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, load := range []struct {
		name string
		at   func(s float64) (capacity, offered float64)
	}{
		{"square", func(s float64) (float64, float64) {
			if math.Mod(s, 40) < 20 {
				return 100, 2000
			}
			return 10000, 500
		}},
		{"ramp", func(s float64) (float64, float64) { return 800, s }},
		{"noise", func(float64) (float64, float64) { return 50 + 2000*random.Float64(), 4000 * random.Float64() }},
		{"overload for an hour", func(float64) (float64, float64) { return 300, 3000 }},
	} {
		n := newNode(2000)
		n.capacity = 100
		wanted := 0.0
		n.run(time.Hour, func() {
			n.capacity, n.offered = load.at(n.now.Seconds())
			wanted += min(n.capacity, n.offered) * step.Seconds()
			if p := n.p.Pace(); p < 1 || p > 2000 || math.IsNaN(p) {
				t.Fatalf("%s at %v: pace %v", load.name, n.now, p)
			}
		})
		if n.served < 0.8*wanted {
			t.Errorf("%s: served %.0f of %.0f", load.name, n.served, wanted)
		}
	}
}

// One stall of the process is no measure of the node.
func TestPaceIsHalvedAtMostByOneStall(t *testing.T) {
	n := newNode(2000)
	n.capacity, n.offered = 20000, 100
	n.run(10*time.Second, nil)
	n.now += 3 * time.Second
	n.p.Observe(n.now, Sample{Taken: uint64(n.served), Waited: 3 * time.Second, Late: 3 * time.Second})
	if p := n.p.Pace(); p < 1000 {
		t.Errorf("pace %v after a stall of 3 s, want 1000 at least", p)
	}
	n.run(3*time.Second, nil)
	if p := n.p.Pace(); p != 2000 {
		t.Errorf("pace %v three seconds later, want 2000", p)
	}
}

func TestPacerIgnoresAClockThatStandsStill(t *testing.T) {
	p := NewPacer(2000, time.Second)
	for _, now := range []time.Duration{time.Second, 0, time.Second} {
		p.Observe(now, Sample{Taken: 5, Waited: time.Hour})
	}
	if p.Pace() != 2000 {
		t.Errorf("pace %v, want 2000", p.Pace())
	}
}

func TestStretchGrowsWhileLateAndShrinksSlowly(t *testing.T) {
	s := NewStretch(2*time.Second, step, 0)
	now := time.Duration(0)
	observe := func(late time.Duration, want int) {
		t.Helper()
		now += step
		if got := s.Observe(now, late); got != want {
			t.Fatalf("at %v: factor %d, want %d", now, got, want)
		}
	}
	observe(3*time.Second, 1) // one stall
	observe(0, 1)
	observe(600*time.Millisecond, 1)
	for _, want := range []int{2, 4, 8, 8, 8, 8} {
		observe(600*time.Millisecond, want)
	}
	for range 39 {
		observe(10*time.Millisecond, 8)
	}
	observe(10*time.Millisecond, 4) // ten seconds without lateness
	for range 20 {
		observe(10*time.Millisecond, 4)
	}
	observe(400*time.Millisecond, 4) // nearly late: the ten seconds begin anew
	for range 39 {
		observe(0, 4)
	}
	observe(0, 2)
}

// A node that is very late has to tell each client once.
func TestStretchIsAllAtOnceOfANodeThatIsVeryLate(t *testing.T) {
	s := NewStretch(2*time.Second, step, 0)
	for i, want := range []int{1, MaxStretch, MaxStretch} {
		if got := s.Observe(time.Duration(i+1)*step, 800*time.Millisecond); got != want {
			t.Errorf("look %d: factor %d, want %d", i+1, got, want)
		}
	}
}
