package swarm

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// startSwarm aims n clients at the nodes. It is finished with the test if not before.
func startSwarm(t *testing.T, n int, change func(*Config), nodes ...*benchtest.Node) (s *Swarm, finish func() tally.Tally) {
	t.Helper()
	cfg := Config{Conns: n, Rate: 5000, Seed: 1, Loops: 2, PongTimeout: benchtest.Patience,
		Sources: []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")}}
	for _, f := range nodes {
		cfg.Endpoints = append(cfg.Endpoints, netip.MustParseAddrPort(f.Addr()))
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Start(Monotonic())
	var sum *tally.Tally
	finish = func() tally.Tally {
		if sum == nil {
			got := s.Finish()
			sum = &got
		}
		return *sum
	}
	t.Cleanup(func() { finish() })
	return s, finish
}

func TestAllConnectAndHeartbeatAndNoneIsLost(t *testing.T) {
	a, b := benchtest.Start(t, &benchtest.Node{}), benchtest.Start(t, &benchtest.Node{})
	s, finish := startSwarm(t, 101, nil, a, b)
	benchtest.WaitFor(t, "101 clients are ready", func() bool { return s.Ready() == 101 })
	if a.Conns() != 51 || b.Conns() != 50 {
		t.Errorf("placed %d and %d, want 51 and 50", a.Conns(), b.Conns())
	}
	if got := s.On(a.Addr()); got != 51 {
		t.Errorf("On(first) = %d, want 51", got)
	}
	if got := s.LongestTimeout(); got != benchtest.ShortTerms.Timeout {
		t.Errorf("LongestTimeout() = %v, want %v as WELCOME says", got, benchtest.ShortTerms.Timeout)
	}
	benchtest.WaitFor(t, "500 PONGs", func() bool { return s.Counts().Pongs >= 500 })
	sum := finish()
	if sum.Ready != 101 || sum.Peak != 101 || sum.Counters.Attempts != 101 || sum.Counters.Established != 101 {
		t.Errorf("tally = %d ready, peak %d, %d attempts, %d welcomed; want 101 of each", sum.Ready, sum.Peak, sum.Counters.Attempts, sum.Counters.Established)
	}
	if sum.Counters.Losses != (result.Losses{}) || sum.Counters.Failures != (result.Failures{}) || sum.Counters.Falsely+sum.Counters.Faults+sum.Counters.Missed != 0 {
		t.Errorf("tally = %+v, want no loss and no failure", sum.Counters)
	}
	// A client that hears something else and is late asks again; two such PINGs have one answer.
	asked := sum.Counters.Pings - sum.Counters.Withdrawn
	if n := sum.Counters; sum.RTT.Count() != asked || sum.RTTActual.Count() != n.Pongs || n.Pongs+n.Unanswered != asked || n.Pending != n.Unanswered {
		t.Errorf("%d RTTs, %d of them answered, %+v", sum.RTT.Count(), sum.RTTActual.Count(), n)
	}
	benchtest.WaitFor(t, "the nodes have seen all leave", func() bool { return a.Conns()+b.Conns() == 0 })
}

func TestPlaceAllOnTheFirst(t *testing.T) {
	a, b := benchtest.Start(t, &benchtest.Node{}), benchtest.Start(t, &benchtest.Node{})
	s, _ := startSwarm(t, 40, func(c *Config) { c.PlaceAll = true }, a, b)
	benchtest.WaitFor(t, "40 clients are ready", func() bool { return s.Ready() == 40 })
	if b.Accepted.Load() != 0 {
		t.Errorf("%d connected to the second node", b.Accepted.Load())
	}
}

func TestClientsComeFromTheirSources(t *testing.T) {
	from := make(chan string, 4)
	f := benchtest.Start(t, &benchtest.Node{Meet: func(c *net.TCPConn, _ int) bool {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		from <- host
		return false
	}})
	startSwarm(t, 4, nil, f)
	count := map[string]int{}
	for range 4 {
		select {
		case host := <-from:
			count[host]++
		case <-time.After(benchtest.Patience):
			t.Fatal("not all connected")
		}
	}
	if count["127.0.0.2"] != 2 || count["127.0.0.3"] != 2 {
		t.Errorf("sources = %v, want two from each", count)
	}
}

// In a storm a probe's answer must not wait behind the ends of all the others.
func TestProbesHaveAPollerOfTheirOwn(t *testing.T) {
	for _, probes := range []int{0, 4} {
		s, finish := startSwarm(t, 40, func(c *Config) { c.Probes, c.ProbeInterval = probes, 100*time.Millisecond }, benchtest.Start(t, &benchtest.Node{}))
		benchtest.WaitFor(t, "all are ready, and probes were answered", func() bool { return s.Ready() == 40 && s.Counts().Pongs >= 80 })
		own := make(chan int, len(s.loops))
		s.eachLoop(func(l *loop) {
			n := 0
			for i := range l.clients {
				if l.pollerOf(uint32(i)) != l.poll {
					n++
				}
			}
			own <- n
		})
		sum := 0
		for range s.loops {
			sum += <-own
		}
		if sum != probes {
			t.Errorf("%d clients have another poller, want the %d probes", sum, probes)
		}
		if got := finish(); probes > 0 && got.Probes.Before.Count() == 0 {
			t.Error("no probe was heard")
		}
	}
}

// What is prepared and never started, since the agreed moment was past or somebody left,
// must not keep its descriptors.
func TestASwarmThatIsNotStartedLeavesNothing(t *testing.T) {
	benchtest.LeavesNothing(t)
	s, err := New(Config{Conns: 40, Rate: 1, Loops: 2, Probes: 2,
		Endpoints: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}})
	if err != nil {
		t.Fatal(err)
	}
	s.Abandon()
	for _, l := range s.loops {
		if l.wheel.Len() != 0 {
			t.Error("a wheel has kept its memory")
		}
	}
}

// What has run has closed its descriptors by itself: their numbers may be others' by now.
func TestASwarmThatHasRunClosesNothingTwice(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	s, finish := startSwarm(t, 10, func(c *Config) { c.Probes = 2 }, f)
	finish()
	var pipes []*os.File
	for range 20 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		pipes = append(pipes, r, w)
	}
	s.Abandon()
	for _, p := range pipes {
		if err := p.Close(); err != nil {
			t.Errorf("somebody else's descriptor: %v", err)
		}
	}
}
