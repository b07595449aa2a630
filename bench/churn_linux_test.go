package bench

import (
	"math"
	"net"
	"testing"
	"time"
)

func TestLifetimesAreExponentialAndOfTheSeed(t *testing.T) {
	c := swarmConfig{Seed: 7, Lifetime: 10 * time.Second}
	once, again := c.lifetime(3, time.Second), c.lifetime(3, time.Second)
	if once != again || once == c.lifetime(4, time.Second) || once == c.lifetime(3, 2*time.Second) {
		t.Error("lifetimes are not of the seed, the client and its arrival")
	}
	const n = 20_000
	sum, short := 0.0, 0
	for i := range n {
		d := c.lifetime(i, time.Duration(i)*time.Millisecond).Seconds()
		sum += d
		if d < 10*math.Ln2 {
			short++
		}
	}
	if mean := sum / n; mean < 9.7 || mean > 10.3 || short < n*48/100 || short > n*52/100 {
		t.Errorf("mean %.2f s, %d of %d below the median; want 10 s and half", mean, short, n)
	}
}

func TestChurnKeepsTheCount(t *testing.T) {
	for _, workers := range []int{1, 2} {
		leavesNothing(t)
		cfg := inWorkers(t, workers, "good", "churn", 2, 100)
		cfg.Lifetime, cfg.Duration = 500*time.Millisecond, 1500*time.Millisecond
		r, err := Run(t.Context(), cfg, View{})
		if err != nil {
			t.Fatalf("%d workers: %v; %+v", workers, err, r)
		}
		c := r.Churn
		// 100 clients of half a second each, for 1.5 s and the ramp: 300 or so leave.
		if c.Departures < 150 || c.Returns != c.Departures || c.Missing != 0 || r.Conns.End != 100 || r.Conns.Peak > 100 {
			t.Errorf("%d workers: churn %+v, conns %+v", workers, c, r.Conns)
		}
		if r.Connect.Attempts != 100+c.Departures || r.Connect.Established != r.Connect.Attempts || r.Conns.Ghosts == nil || *r.Conns.Ghosts != 0 {
			t.Errorf("%d workers: connect %+v, %d departures, conns %+v; want an attempt an arrival, and no ghost", workers, r.Connect, c.Departures, r.Conns)
		}
	}
}

// A node that keeps the connections of those who left would run full.
func TestChurnFailsANodeThatKeepsThoseWhoLeft(t *testing.T) {
	leavesNothing(t)
	cfg := spawned(t, "hoarder", "churn", 1, 20)
	cfg.Lifetime, cfg.Duration = 300*time.Millisecond, 500*time.Millisecond
	r, err := Run(t.Context(), cfg, View{})
	if ExitCode(err) != ExitThreshold || r.Conns.Ghosts == nil || *r.Conns.Ghosts < r.Churn.Departures {
		t.Errorf("exit %d, %v, conns %+v, churn %+v; want every departure kept as a ghost", ExitCode(err), err, r.Conns, r.Churn)
	}
}

// One that was not welcomed before its time was up leaves when it is, and is no failure.
func TestOneThatIsWelcomedLateLeavesThen(t *testing.T) {
	f := &fakeNode{}
	f.meet = func(*net.TCPConn, int) bool { time.Sleep(300 * time.Millisecond); return false }
	startFake(t, f)
	s, finish := startSwarm(t, 20, func(c *swarmConfig) { c.Lifetime = 50 * time.Millisecond }, f)
	waitFor(t, "60 departures", func() bool { return s.Counts().Departures >= 60 })
	s.Settle()
	waitFor(t, "all are ready", func() bool { n := s.Counts(); return s.Ready() == 20 && n.Returns == n.Departures })
	if sum := finish(); sum.Counters.Failures != (Failures{}) || sum.Counters.Losses != (Losses{}) || sum.Counters.Attempts != 20+sum.Counters.Departures {
		t.Errorf("%+v; want neither failure nor loss", sum.Counters)
	}
	if h := finish().Connect; h.count() != 20+finish().Counters.Returns {
		t.Errorf("%d latencies, want one an arrival", h.count())
	}
}

// Who stayed through one churn may leave in the next.
func TestASecondChurnDrawsOtherLifetimes(t *testing.T) {
	f := &fakeNode{}
	startFake(t, f)
	s, finish := startSwarm(t, 100, func(c *swarmConfig) { c.Lifetime, c.Loops = time.Hour, 1 }, f)
	defer finish()
	waitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	draws := func() []time.Duration {
		s.Unsettle()
		drawn := make(chan []time.Duration)
		l := s.loops[0]
		l.order(func() {
			var all []time.Duration
			for _, at := range l.leave {
				all = append(all, (at - l.now).Truncate(time.Second))
			}
			drawn <- all
		})
		return <-drawn
	}
	first, same := draws(), 0
	s.Settle()
	for i, d := range draws() {
		if d == first[i] || d == first[i]-time.Second || d == first[i]+time.Second {
			same++
		}
	}
	if same > 5 {
		t.Errorf("%d of 100 clients drew the same lifetime again", same)
	}
}
