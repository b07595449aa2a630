package swarm

import (
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
)

// A draining server asks for make before break: two sockets for a while, and no loss.
func TestADrainingServerIsLeftWithoutALoss(t *testing.T) {
	b := benchtest.Start(t, &benchtest.Node{})
	a := &benchtest.Node{Terms: benchtest.ShortTerms}
	drained := make(chan struct{})
	a.Meet = func(c *net.TCPConn, _ int) bool {
		go func() { // beside its PONGs: who waits for one leaves behind it
			<-drained
			c.Write(benchtest.GoAway(codec.CodeDraining))
		}()
		return false
	}
	benchtest.Start(t, a)
	s, finish := startSwarm(t, 20, func(c *Config) { c.PlaceAll = true }, a, b)
	benchtest.WaitFor(t, "all are on the first", func() bool { return s.On(a.Addr()) == 20 })
	close(drained)
	benchtest.WaitFor(t, "all have left the first and beat on the second", func() bool { return s.On(b.Addr()) == 20 && a.Conns() == 0 })
	before := s.Counts().Pongs
	benchtest.WaitFor(t, "PONGs from the second", func() bool { return s.Counts().Pongs >= before+20 })
	kept := make(chan int, len(s.loops))
	s.eachLoop(func(l *loop) { kept <- len(l.second) })
	for range s.loops {
		if n := <-kept; n != 0 {
			t.Errorf("%d second sockets are kept", n)
		}
	}
	if sum := finish(); sum.Ready != 20 || sum.Counters.Losses != (result.Losses{}) || sum.Counters.Attempts != 40 || sum.Counters.Falsely+sum.Counters.Faults != 0 {
		t.Errorf("%d ready, %d attempts, losses %+v, false %d; want 20, 40, none", sum.Ready, sum.Counters.Attempts, sum.Counters.Losses, sum.Counters.Falsely)
	}
}

func TestAStormCountsThoseHitTheirAttemptsAndReturns(t *testing.T) {
	// Heartbeats are far apart: the PONG that makes a client count as back is asked for.
	terms := codec.Terms{Interval: 20 * time.Second, Timeout: time.Minute, Window: 300 * time.Millisecond}
	a, b := benchtest.Start(t, &benchtest.Node{Terms: terms}), benchtest.Start(t, &benchtest.Node{Terms: terms})
	s, finish := startSwarm(t, 40, nil, a, b)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 40 })
	s.BeginStorm(s.Now(), a.Addr())
	a.Stop()
	benchtest.WaitFor(t, "all 20 are back", func() bool { n := s.Counts(); return n.StormClients == 20 && n.StormBack == 20 })
	sum := finish()
	r := sum.Storm.Report(tally.StormFacts{Kind: "kill", Policy: "window", Capacity: 10, Outage: new(time.Duration)})
	if r.Clients != 20 || r.Back != 20 || *r.IdealS != 2 || *r.AttemptsPerSuccess < 1 {
		t.Errorf("storm = %+v", r)
	}
	if *r.T50S > *r.T100S || r.LostConnectionSeconds <= 0 || r.LostConnectionSeconds > 20**r.T100S {
		t.Errorf("t50 %v, t100 %v, %v connection-seconds", *r.T50S, *r.T100S, r.LostConnectionSeconds)
	}
	if sum.Counters.Falsely+sum.Counters.Faults+sum.Counters.Observed != 0 {
		t.Errorf("the node's death counts as evictions: %+v", sum.Counters)
	}
}

func TestAStormWithoutAnotherNodeNeverEnds(t *testing.T) {
	a := benchtest.Start(t, &benchtest.Node{})
	s, finish := startSwarm(t, 10, nil, a)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 10 })
	s.BeginStorm(s.Now(), a.Addr())
	a.Stop()
	benchtest.WaitFor(t, "all have tried", func() bool { return s.Counts().Failures.Refused >= 10 })
	sum := finish()
	r := sum.Storm.Report(tally.StormFacts{Kind: "kill", Policy: "window", Outage: new(time.Duration)})
	if r.Clients != 10 || r.Back != 0 || r.T50S != nil || r.T100S != nil || r.AttemptsPerSuccess != nil {
		t.Errorf("storm = %+v, want nobody back and no times", r)
	}
	if r.LostConnectionSeconds <= 0 {
		t.Error("lasting outages do not count as lost connection-seconds")
	}
	if sum.Storm.Attempts < sum.Counters.Failures.Refused || sum.Storm.Attempts < 10 {
		t.Errorf("%d attempts, %d were refused; want those among them", sum.Storm.Attempts, sum.Counters.Failures.Refused)
	}
}

// A WELCOME from a node that then answers nothing is no return.
func TestAClientIsBackWhenItIsServed(t *testing.T) {
	a, b := benchtest.Start(t, &benchtest.Node{}), benchtest.Start(t, &benchtest.Node{NoPong: true})
	s, finish := startSwarm(t, 20, func(c *Config) { c.PongTimeout = time.Minute }, a, b)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 20 })
	s.BeginStorm(s.Now(), a.Addr())
	a.Stop()
	benchtest.WaitFor(t, "all are welcomed again", func() bool { return s.Ready() == 20 && s.Counts().StormClients == 10 })
	if n := s.Counts().StormBack; n != 0 {
		t.Errorf("%d are back, and nobody was answered", n)
	}
	if sum := finish(); len(sum.Storm.Returns) != 0 {
		t.Errorf("%d returns, want none", len(sum.Storm.Returns))
	}
}

func TestALostProbeIsCounted(t *testing.T) {
	a, b := benchtest.Start(t, &benchtest.Node{}), benchtest.Start(t, &benchtest.Node{})
	s, finish := startSwarm(t, 40, func(c *Config) { c.Probes, c.ProbeInterval = 5, 100*time.Millisecond }, a, b)
	benchtest.WaitFor(t, "all are ready and beat", func() bool { return s.Ready() == 40 && s.Counts().Pongs > 100 })
	s.BeginStorm(s.Now())
	a.Stop() // has no probe
	benchtest.WaitFor(t, "its clients are back", func() bool { n := s.Counts(); return n.StormClients == 20 && n.StormBack == 20 })
	b.Stop() // has all five
	benchtest.WaitFor(t, "all are lost", func() bool { n := s.Counts(); return n.Losses.Total() >= 60 })
	if p := finish().Probes; p.Lost != 5 || p.Before.Count() == 0 || p.During.Count() == 0 {
		t.Errorf("%d probes lost, %d and %d round trips; want 5, and some", p.Lost, p.Before.Count(), p.During.Count())
	}
}
