package swarm

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// startSwarm aims n clients at the nodes. It is finished with the test if not before.
func startSwarm(t *testing.T, n int, change func(*Config), nodes ...*benchtest.Node) (s *Swarm, finish func() tally.Tally) {
	t.Helper()
	cfg := Config{Conns: n, Rate: 5000, Seed: 1, Loops: 2, PongTimeout: 5 * time.Second,
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
	if n := sum.Counters; sum.RTT.Count() != n.Pings || sum.RTTActual.Count() != n.Pongs || n.Pongs+n.Unanswered != n.Pings || n.Pending != n.Unanswered {
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

func TestSilentClientsAreSeenEvictedAndTheLivingAreNot(t *testing.T) {
	for _, farewell := range []bool{true, false} {
		f := benchtest.Start(t, &benchtest.Node{Farewell: farewell})
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
		if sum.Lateness.Count() != 15 || l.Min < 0 || l.Max > 400 {
			t.Errorf("farewell %v: lateness %+v of %d, want 15 within [0, 400] ms", farewell, l, sum.Lateness.Count())
		}
	}
}

func TestMuteClientsSayNothingMore(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
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
	// Closes after 300 ms while it promises 600: early for the mute, and false for the
	// living, which beat every 384 to 480 ms as they were told.
	f := benchtest.Start(t, &benchtest.Node{EvictAfter: 300 * time.Millisecond, Farewell: true,
		Terms: codec.Terms{Interval: 480 * time.Millisecond, Timeout: 600 * time.Millisecond, Window: 10 * time.Second}})
	s, finish := startSwarm(t, 20, nil, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 20 })
	muted := s.Mute(s.Ready() / 2)
	benchtest.WaitFor(t, "all are evicted", func() bool { n := s.Counts(); return n.Observed+n.Falsely+n.Faults >= 20 })
	sum := finish()
	if sum.Counters.Early != muted || sum.Counters.Observed != muted {
		t.Errorf("early = %d, observed = %d of %d mute clients; want all", sum.Counters.Early, sum.Counters.Observed, muted)
	}
	if sum.Counters.Falsely < 20-muted {
		t.Errorf("false = %d, want the %d living clients", sum.Counters.Falsely, 20-muted)
	}
	if l := sum.Lateness.Lateness(); l == nil || l.Min >= 0 || l.Min < -310 {
		t.Errorf("lateness = %+v, want a minimum near -300 ms", l)
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
	f := benchtest.Start(t, &benchtest.Node{Farewell: true})
	s, finish := startSwarm(t, 40, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 40 })
	// The loop stands still for longer than the timeout: the server evicts by right.
	s.eachLoop(func(*loop) { time.Sleep(benchtest.ShortTerms.Timeout * 2) })
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
		t.Errorf("lateness max = %v ms after a stall of 1200 ms", sum.Late.Late().Max)
	}
}

// Each of these servers misbehaves on the first connections and is good after; the swarm
// must file it right and come back.
func TestMisbehavingServersAreFiledAndOutlived(t *testing.T) {
	const n = 12
	for _, tt := range []struct {
		name string
		meet func(f *benchtest.Node, c *net.TCPConn)
		got  func(result.Failures) int
	}{
		{"garbage", func(_ *benchtest.Node, c *net.TCPConn) {
			c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			readSome(c)
		},
			func(f result.Failures) int { return f.Protocol }},
		{"checksum", func(f *benchtest.Node, c *net.TCPConn) { b := f.Welcome(); b[len(b)-1]++; c.Write(b); readSome(c) },
			func(f result.Failures) int { return f.Protocol }},
		{"a length beyond the limit", func(_ *benchtest.Node, c *net.TCPConn) { c.Write([]byte{0x53, 0x10, 2, 0, 255, 0, 0, 0}); readSome(c) },
			func(f result.Failures) int { return f.Protocol }},
		{"half a WELCOME", func(f *benchtest.Node, c *net.TCPConn) { b := f.Welcome(); c.Write(b[:len(b)/2]); readAll(c) },
			func(f result.Failures) int { return f.Closed }},
		{"closes at once", func(_ *benchtest.Node, c *net.TCPConn) { readAll(c) },
			func(f result.Failures) int { return f.Closed }},
		{"resets at once", func(_ *benchtest.Node, c *net.TCPConn) { readSome(c); c.SetLinger(0) },
			func(f result.Failures) int { return f.Reset }},
		{"busy", func(_ *benchtest.Node, c *net.TCPConn) { readSome(c); c.Write(benchtest.GoAway(codec.CodeBusy)) },
			func(f result.Failures) int { return f.Busy }},
		{"GOAWAY before HELLO is read, then RST", func(_ *benchtest.Node, c *net.TCPConn) { c.Write(benchtest.GoAway(codec.CodeInternal)); c.SetLinger(0) },
			func(f result.Failures) int { return f.GoAway }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &benchtest.Node{}
			f.Meet = func(c *net.TCPConn, i int) bool {
				if i > n {
					return false
				}
				tt.meet(f, c)
				return true
			}
			benchtest.Start(t, f)
			s, finish := startSwarm(t, n, nil, f)
			benchtest.WaitFor(t, "all are ready in the end", func() bool { return s.Ready() == n })
			sum := finish()
			total := sum.Counters.Attempts - sum.Counters.Established
			if got := tt.got(sum.Counters.Failures); got != n || total != n {
				t.Errorf("failures = %+v, %d attempts; want %d of its class", sum.Counters.Failures, sum.Counters.Attempts, n)
			}
		})
	}
}

func readSome(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(benchtest.Patience))
	_, _ = c.Read(make([]byte, 512))
}

// readAll reads HELLO and says FIN; it closes when the client has, so that no RST is sent.
func readAll(c *net.TCPConn) {
	readSome(c)
	_ = c.CloseWrite()
	readSome(c)
}

func TestRefusedConnectsAreFiled(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	s, finish := startSwarm(t, 10, func(c *Config) { c.Endpoints = []netip.AddrPort{nobody} })
	benchtest.WaitFor(t, "ten refusals", func() bool { return s.Counts().Failures.Refused >= 10 })
	sum := finish() // the attempts of that moment have no answer yet
	if sum.Counters.Failures != (result.Failures{Refused: sum.Counters.Failures.Refused}) || sum.Counters.Established != 0 || sum.Counters.Attempts-sum.Counters.Failures.Refused > 10 {
		t.Errorf("%d attempts, %+v; want refusals only", sum.Counters.Attempts, sum.Counters.Failures)
	}
}

func TestFramesInAnySplitAreUnderstoodAndNothingIsKept(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	s, _ := startSwarm(t, 1, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "it is ready", func() bool { return s.Ready() == 1 })
	// Announcements of terms, so that it can be seen that each was read.
	announce := func(n int) []byte {
		return codec.AppendPong(nil, codec.PongMessage{Terms: codec.Terms{Interval: time.Minute, Timeout: time.Hour, Window: time.Duration(n) * time.Second}})
	}
	size := len(announce(1))
	problem := make(chan string, 1)
	s.eachLoop(func(l *loop) {
		defer close(problem)
		c := &l.clients[0]
		for step := 1; step <= 2*size; step++ {
			stream := append(announce(step), announce(1000+step)...)
			for len(stream) > 0 {
				n := min(step, len(stream))
				l.receive(0, c, c.attempt, stream[:n])
				stream = stream[n:]
				if p, kept := l.partial[connKey{0, c.attempt}]; kept && (len(p.b) >= size || p.need <= len(p.b)) {
					problem <- fmt.Sprintf("pieces of %d: %d bytes kept that wait for %d", step, len(p.b), p.need)
					return
				}
			}
			if got := c.link.Info().Terms.Window; got != time.Duration(1000+step)*time.Second {
				problem <- fmt.Sprintf("pieces of %d: the second frame was not read, window %v", step, got)
				return
			}
			if len(l.partial) != 0 {
				problem <- fmt.Sprintf("pieces of %d: input is kept when no frame is incomplete", step)
				return
			}
		}
	})
	if p := <-problem; p != "" {
		t.Error(p)
	}
}

func TestAServerThatNeverAnswersIsGivenUpByTheClient(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{NoPong: true, EvictAfter: time.Hour})
	s, finish := startSwarm(t, 5, func(c *Config) { c.PongTimeout = 300 * time.Millisecond }, f)
	benchtest.WaitFor(t, "five are given up", func() bool { return s.Counts().Missed >= 5 })
	if sum := finish(); sum.Counters.Losses.PongTimeout != sum.Counters.Missed || sum.Counters.Falsely != 0 {
		t.Errorf("%+v: want losses by pong timeout only", sum.Counters)
	}
}

// A draining server asks for make before break: two sockets for a while, and no loss.
func TestADrainingServerIsLeftWithoutALoss(t *testing.T) {
	b := benchtest.Start(t, &benchtest.Node{})
	a := &benchtest.Node{Terms: benchtest.ShortTerms}
	drained := make(chan struct{})
	a.Meet = func(c *net.TCPConn, _ int) bool {
		readSome(c)
		c.Write(a.Welcome())
		<-drained
		c.Write(benchtest.GoAway(codec.CodeDraining))
		io.Copy(io.Discard, c) // until the client has left
		return true
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
	if *r.T50S > *r.T100S || *r.T100S > 2 || r.LostConnectionSeconds <= 0 || r.LostConnectionSeconds > 20**r.T100S {
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

// A peer that takes nothing: what does not fit waits, with EPOLLOUT only that long.
func TestASocketThatTakesNothingIsWaitedFor(t *testing.T) {
	f := &benchtest.Node{Terms: benchtest.ShortTerms}
	readOn := make(chan struct{})
	f.Meet = func(c *net.TCPConn, _ int) bool {
		readSome(c)
		c.Write(f.Welcome())
		<-readOn
		io.Copy(io.Discard, c)
		return true
	}
	benchtest.Start(t, f)
	s, finish := startSwarm(t, 1, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "it is ready", func() bool { return s.Ready() == 1 })
	big := make([]byte, 32<<20) // more than both socket buffers take
	waited := make(chan bool, 1)
	s.eachLoop(func(l *loop) {
		c := &l.clients[0]
		before := c.last
		l.send(0, c, &c.socket, big, true)
		_, waiting := l.unsent[connKey{0, c.attempt}]
		waited <- waiting && c.last == before && asksToWrite(t, l, c.fd)
		l.perform(0, c)
	})
	if !<-waited {
		t.Fatal("32 MiB went into the socket at once, or an unfinished write counts as complete")
	}
	close(readOn)
	flushed := func() (done bool) {
		answer := make(chan bool, 1)
		s.eachLoop(func(l *loop) { answer <- len(l.unsent) == 0 })
		return <-answer
	}
	benchtest.WaitFor(t, "the rest is written", flushed)
	idle := make(chan bool, 1)
	s.eachLoop(func(l *loop) { idle <- !asksToWrite(t, l, l.clients[0].fd) })
	if !<-idle {
		t.Error("EPOLLOUT stays when nothing is left to write: the loop would spin")
	}
	if sum := finish(); sum.Ready != 1 {
		t.Errorf("the session was lost: %+v", sum.Counters.Losses)
	}
}

// A PING that stands in a queue which moves is not missed.
func TestAPingOnItsWayIsNotMissed(t *testing.T) {
	const pongTimeout = time.Second
	f := &benchtest.Node{Terms: codec.Terms{Interval: 200 * time.Millisecond, Timeout: time.Minute}}
	moves := make(chan struct{})
	f.Meet = func(c *net.TCPConn, _ int) bool {
		readSome(c)
		c.Write(f.Welcome())
		<-moves
		for range 100 {
			io.CopyN(io.Discard, c, 64<<10)
			time.Sleep(40 * time.Millisecond)
		}
		return true
	}
	benchtest.Start(t, f)
	s, _ := startSwarm(t, 1, func(c *Config) { c.Loops, c.PongTimeout = 1, pongTimeout }, f)
	benchtest.WaitFor(t, "it is ready", func() bool { return s.Ready() == 1 })
	s.eachLoop(func(l *loop) {
		l.send(0, &l.clients[0], &l.clients[0].socket, make([]byte, 32<<20), true)
		l.perform(0, &l.clients[0])
		close(moves)
	})
	time.Sleep(3 * pongTimeout)
	if n := s.Counts(); n.Missed != 0 || n.Losses.Total() != 0 || n.Pings == 0 {
		t.Errorf("%d PINGs, losses %+v while the way is slow", n.Pings, n.Losses)
	}
}

// asksToWrite reads from the kernel whether epoll watches fd for EPOLLOUT.
func asksToWrite(t *testing.T, l *loop, fd int32) bool {
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", l.poll.FD()))
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(info)) {
		var tfd, events int
		if n, _ := fmt.Sscanf(line, "tfd: %d events: %x", &tfd, &events); n == 2 && tfd == int(fd) {
			return events&unix.EPOLLOUT != 0
		}
	}
	t.Errorf("fd %d is not watched", fd)
	return false
}

// An idle client must not be watched for EPOLLOUT either, which is level-triggered.
func TestReadyClientsAreWatchedForInputOnly(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	s, _ := startSwarm(t, 5, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 5 })
	spinning := make(chan int, 1)
	s.eachLoop(func(l *loop) {
		n := 0
		for i := range l.clients {
			if asksToWrite(t, l, l.clients[i].fd) {
				n++
			}
		}
		spinning <- n
	})
	if n := <-spinning; n != 0 {
		t.Errorf("%d of 5 idle clients wait for EPOLLOUT", n)
	}
}

// A server's alternates must not turn a test of this machine into an attack on another.
func TestAlternatesBeyondThisMachineAreNotDialled(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	s, _ := startSwarm(t, 1, func(c *Config) { c.Loops = 1 }, f)
	refusal := make(chan error, 1)
	s.eachLoop(func(l *loop) {
		var c client
		l.dial(0, &c, &link.Action{Op: link.Dial, Attempt: 1, Addr: "192.0.2.1:7000"})
		if len(l.after) != 1 || c.attempt != 0 {
			refusal <- nil
			return
		}
		refusal <- l.after[0].err
		l.after = l.after[:0]
	})
	if err := <-refusal; err == nil || !strings.Contains(err.Error(), "not on this machine") {
		t.Errorf("dial of 192.0.2.1: %v, want a refusal", err)
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

// The latency counts from the intended time: a server that stalls shows in the percentiles
// of all that were to come meanwhile.
func TestAStalledServerShowsInTheConnectLatency(t *testing.T) {
	const stall = 400 * time.Millisecond
	from := time.Now()
	f := &benchtest.Node{}
	f.Meet = func(*net.TCPConn, int) bool {
		time.Sleep(time.Until(from.Add(stall)))
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
