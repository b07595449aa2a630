package swarm

import (
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
)

func TestSilentClientsAreSeenEvictedAndTheLivingAreNot(t *testing.T) {
	for _, farewell := range []bool{true, false} {
		f := benchtest.Start(t, &benchtest.Node{Terms: benchtest.Evicting, Farewell: farewell})
		s, finish := startSwarm(t, 60, nil, f)
		benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 60 })
		if got := s.Mute(s.Ready() / 4); got != 15 {
			t.Fatalf("Mute(0.25) = %d of 60, want 15", got)
		}
		benchtest.WaitFor(t, "15 evictions", func() bool { return s.Counts().Observed == 15 })
		sum := finish()
		if sum.Ready != 45 || sum.Counters.Muted != 15 || sum.Counters.Observed != 15 || sum.Counters.Early != 0 || sum.Counters.Falsely != 0 || sum.Counters.Faults != 0 {
			t.Errorf("farewell %v: %+v, %d ready; want 15 observed on time, 45 ready", farewell, sum.Counters, sum.Ready)
		}
		l := sum.Lateness.Lateness()
		if sum.Lateness.Count() != 15 || l.Min < 0 {
			t.Errorf("farewell %v: lateness %+v of %d, want 15, and none early", farewell, l, sum.Lateness.Count())
		}
	}
}

func TestMuteClientsSayNothingMore(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: benchtest.Evicting})
	s, finish := startSwarm(t, 30, nil, f)
	benchtest.WaitFor(t, "all are ready and beat", func() bool { return s.Ready() == 30 && s.Counts().Pings >= 30 })
	s.Mute(s.Ready())
	before := s.Counts().Pings
	benchtest.WaitFor(t, "all are evicted", func() bool { return s.Counts().Observed == 30 })
	if sum := finish(); sum.Counters.Pings != before || sum.Counters.Attempts != 30 {
		t.Errorf("%d PINGs and %d connects after all were mute", sum.Counters.Pings-before, sum.Counters.Attempts-30)
	}
}

func TestAServerThatEvictsTooEarlyIsCaught(t *testing.T) {
	// Promises a minute, and evicts all when the test says so: early for the mute, and false for the living.
	f := &benchtest.Node{Terms: codec.Terms{Interval: 20 * time.Second, Timeout: time.Minute, Window: 10 * time.Second}}
	evict := make(chan struct{})
	f.Meet = func(c *net.TCPConn, _ int) bool {
		readSome(c)
		c.Write(f.Welcome())
		<-evict
		c.Write(benchtest.GoAway(codec.CodeHeartbeatTimeout))
		return true
	}
	benchtest.Start(t, f)
	s, finish := startSwarm(t, 20, nil, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 20 })
	muted := s.Mute(s.Ready() / 2)
	close(evict)
	benchtest.WaitFor(t, "all are evicted", func() bool { n := s.Counts(); return n.Observed+n.Falsely+n.Faults >= 20 })
	sum := finish()
	if sum.Counters.Early != muted || sum.Counters.Observed != muted {
		t.Errorf("early = %d, observed = %d of %d mute clients; want all", sum.Counters.Early, sum.Counters.Observed, muted)
	}
	if sum.Counters.Falsely < 20-muted {
		t.Errorf("false = %d, want the %d living clients", sum.Counters.Falsely, 20-muted)
	}
	if l := sum.Lateness.Lateness(); l == nil || l.Min >= 0 || l.Min < -60_000 {
		t.Errorf("lateness = %+v, want a minimum below 0 by a minute at most", l)
	}
}

// A node that is killed by somebody else, or the network to it, ends without a word.
func TestWhatEndsWithoutAWordIsALossAndNoFalseEviction(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: codec.Terms{Interval: 20 * time.Second, Timeout: time.Minute, Window: time.Second}})
	s, finish := startSwarm(t, 20, nil, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 20 })
	s.Mute(5)
	f.Stop()
	benchtest.WaitFor(t, "all are lost", func() bool { n := s.Counts(); return n.Losses.Total() >= 20 })
	sum := finish()
	if n := sum.Counters; n.Falsely+n.Faults != 0 || n.Losses.Closed+n.Losses.Reset != 20 {
		t.Errorf("false %d, faults %d, losses %+v; want 20 losses and no eviction of a living client", n.Falsely, n.Faults, n.Losses)
	}
	if n := sum.Counters; n.Observed != 5 {
		t.Errorf("%d of 5 silent clients seen closed: their notice may be lost, so each counts", n.Observed)
	}
}

func TestAGoAwayForAnotherReasonIsNoEviction(t *testing.T) {
	kick := make(chan struct{})
	f := &benchtest.Node{Terms: benchtest.ShortTerms} // only writes the WELCOME
	g := benchtest.Start(t, &benchtest.Node{Meet: func(c *net.TCPConn, _ int) bool {
		c.Write(f.Welcome())
		<-kick
		c.Write(benchtest.GoAway(codec.CodeKicked))
		return true
	}})
	s, finish := startSwarm(t, 10, nil, g)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 10 })
	s.Mute(s.Ready() / 2)
	close(kick)
	benchtest.WaitFor(t, "all are gone", func() bool { n := s.Counts(); return n.Losses.GoAway >= 10 })
	sum := finish()
	if sum.Counters.Observed != 0 || sum.Counters.OtherMutes != 5 || sum.Counters.Falsely != 0 {
		t.Errorf("%+v; want 5 mute clients gone for another reason, and nothing false", sum.Counters)
	}
}

func TestALateGeneratorIsItsOwnFault(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: benchtest.Evicting, Farewell: true})
	s, finish := startSwarm(t, 40, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 40 })
	// The loop stands still for longer than the timeout: the server evicts by right.
	s.eachLoop(func(*loop) { time.Sleep(benchtest.Evicting.Timeout * 3 / 2) })
	benchtest.WaitFor(t, "the evictions are seen", func() bool { n := s.Counts(); return n.Faults+n.Falsely >= 40 })
	sum := finish()
	if sum.Counters.Faults < 40 || sum.Counters.Falsely != 0 {
		t.Errorf("generator_fault = %d, false = %d; want 40 and 0", sum.Counters.Faults, sum.Counters.Falsely)
	}
	r := result.Result{Eviction: result.Eviction{GeneratorFault: sum.Counters.Faults}, Generator: result.Generator{LateMs: sum.Late.Late()}}
	if err := r.Judge(nil, 20*time.Millisecond); err != nil || r.Verdict != result.Invalid || r.Generator.Valid {
		t.Errorf("verdict = %s, valid = %v, %v; want invalid", r.Verdict, r.Generator.Valid, err)
	}
	if sum.Late.Late().Max < 400 {
		t.Errorf("lateness max = %v ms after a stall of 3 s", sum.Late.Late().Max)
	}
}
