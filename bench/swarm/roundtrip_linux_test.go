package swarm

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
)

// Coordinated omission: a stall belongs to the round trips that it delayed, whoever stalled.
func TestAStallOfTheGeneratorShowsInTheRoundTripsFromTheirDueTime(t *testing.T) {
	a := benchtest.Start(t, &benchtest.Node{})
	s, finish := startSwarm(t, 20, func(c *Config) { c.Loops = 1 }, a)
	benchtest.WaitFor(t, "200 PONGs", func() bool { return s.Counts().Pongs >= 200 })
	const stall = 400 * time.Millisecond // two heartbeats: every client's is due within it
	s.eachLoop(func(*loop) { time.Sleep(stall) })
	before := s.Counts().Pongs
	benchtest.WaitFor(t, "all were answered since", func() bool { return s.Counts().Pongs >= before+40 })
	sum := finish()
	due, actual := sum.RTTIntended.Percentiles(), sum.RTTActual.Percentiles()
	if due.Max < result.Millis(stall)/2 {
		t.Errorf("from their due time the longest is %.0f ms; a stall of %v is hidden", due.Max, stall)
	}
	if actual.Max > due.Max {
		t.Errorf("from the write the longest is %.0f ms, from the due time %.0f ms", actual.Max, due.Max)
	}
}

// What is told is the wire's: our wheel turns once a millisecond.
func TestRoundTripsHaveNoFloorOfOurWheel(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: codec.Terms{Interval: 100 * time.Millisecond, Timeout: time.Minute}})
	s, finish := startSwarm(t, 20, nil, f)
	benchtest.WaitFor(t, "2000 PONGs", func() bool { return s.Counts().Pongs >= 2000 })
	sum := finish()
	if shortest := sum.RTT.Min; shortest <= 0 || shortest > 500*time.Microsecond {
		t.Errorf("the shortest of %d round trips is %v", sum.RTT.Count(), shortest)
	}
	for name, of := range map[string][2]*tally.Hist{"rtt": {sum.RTT, sum.RTTIntended}, "connect": {sum.Connect, sum.ConnectIntended}} {
		if wire, due := of[0].Quantile(50), of[1].Quantile(50); wire >= due {
			t.Errorf("%s: p50 %.3f ms, from the due time %.3f; want our wheel in the latter alone", name, wire, due)
		}
	}
}

// The latency counts from the intended time: a server that stalls shows in the percentiles
// of all that were to come meanwhile.
func TestAStalledServerShowsInTheConnectLatency(t *testing.T) {
	const stall = 400 * time.Millisecond
	first := sync.OnceValue(time.Now) // the stall begins when somebody comes, however late that is
	f := &benchtest.Node{}
	f.Meet = func(*net.TCPConn, int) bool {
		time.Sleep(time.Until(first().Add(stall)))
		return false
	}
	benchtest.Start(t, f)
	s, finish := startSwarm(t, 100, func(c *Config) { c.Rate = 1000 }, f) // all within 100 ms
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	p := finish().Connect.Percentiles()
	if p == nil || p.P50 < result.Millis(stall)-100 {
		t.Errorf("latency %+v, want at least 300 ms of half of them", p)
	}
}
