package swarm

import (
	"math"
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestLifetimesAreExponentialAndOfTheSeed(t *testing.T) {
	c := Config{Seed: 7, Lifetime: 10 * time.Second}
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

// One that was not welcomed before its time was up leaves when it is, and is no failure.
func TestOneThatIsWelcomedLateLeavesThen(t *testing.T) {
	f := &benchtest.Node{}
	f.Meet = func(*net.TCPConn, int) bool { time.Sleep(300 * time.Millisecond); return false }
	benchtest.Start(t, f)
	s, finish := startSwarm(t, 20, func(c *Config) { c.Lifetime = 50 * time.Millisecond }, f)
	benchtest.WaitFor(t, "60 departures", func() bool { return s.Counts().Departures >= 60 })
	s.Settle()
	benchtest.WaitFor(t, "all are ready", func() bool { n := s.Counts(); return s.Ready() == 20 && n.Returns == n.Departures })
	if sum := finish(); sum.Counters.Failures != (result.Failures{}) || sum.Counters.Losses != (result.Losses{}) || sum.Counters.Attempts != 20+sum.Counters.Departures {
		t.Errorf("%+v; want neither failure nor loss", sum.Counters)
	}
	if h := finish().Connect; h.Count() != 20+finish().Counters.Returns {
		t.Errorf("%d latencies, want one an arrival", h.Count())
	}
}

// Who stayed through one churn may leave in the next.
func TestASecondChurnDrawsOtherLifetimes(t *testing.T) {
	f := &benchtest.Node{}
	benchtest.Start(t, f)
	s, finish := startSwarm(t, 100, func(c *Config) { c.Lifetime, c.Loops = time.Hour, 1 }, f)
	defer finish()
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	draws := func() []time.Duration {
		s.Unsettle()
		drawn := make(chan []time.Duration)
		l := s.loops[0]
		l.call(func() {
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
