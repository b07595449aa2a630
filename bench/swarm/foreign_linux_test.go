package swarm

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
)

func speakMQTT(heartbeat time.Duration) func(c *Config) {
	return func(c *Config) { c.Protocol, c.Interval = foreign.MQTT, heartbeat }
}

func TestClientsOfABrokerHeartbeatAndLeave(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Meet: benchtest.Broker(benchtest.Accept, "\x30\x05\x00\x01ahi")})
	s, finish := startSwarm(t, 50, speakMQTT(200*time.Millisecond), f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 50 })
	if got := s.LongestTimeout(); got != 1500*time.Millisecond {
		t.Errorf("timeout %v, want 1.5 times a keepalive of 1 s", got)
	}
	benchtest.WaitFor(t, "200 PINGRESPs", func() bool { return s.Counts().Pongs >= 200 })
	sum := finish()
	if n := sum.Counters; sum.Ready != 50 || n.Attempts != 50 || n.Losses != (result.Losses{}) || n.Failures != (result.Failures{}) || n.Falsely+n.Faults+n.Missed != 0 {
		t.Errorf("%d ready, %+v; want 50 and nothing lost", sum.Ready, n)
	}
	// A client that hears something else and is late asks again; two such PINGs have one answer.
	asked := sum.Counters.Pings - sum.Counters.Withdrawn
	if n := sum.Counters; sum.RTT.Count() != asked || sum.RTTActual.Count() != n.Pongs || n.Pongs+n.Unanswered != asked || n.Pending != n.Unanswered {
		t.Errorf("%d RTTs, %d of them answered, %+v", sum.RTT.Count(), sum.RTTActual.Count(), n)
	}
	benchtest.WaitFor(t, "the broker has seen all leave", func() bool { return f.Conns() == 0 })
}

func TestRefusalsOfABrokerAreFiledAndObeyed(t *testing.T) {
	const n = 12
	for _, tt := range []struct {
		name    string
		code    byte
		got     func(result.Failures) int
		forLong bool
	}{
		{"server unavailable", 3, func(f result.Failures) int { return f.Busy }, false},
		{"bad user name or password", 4, func(f result.Failures) int { return f.GoAway }, true},
		{"identifier rejected", 2, func(f result.Failures) int { return f.GoAway }, true},
		{"version", 1, func(f result.Failures) int { return f.GoAway }, true},
		{"a code of a later day", 9, func(f result.Failures) int { return f.Protocol }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := benchtest.Start(t, &benchtest.Node{Meet: benchtest.Broker(func(i int) byte {
				if i <= n {
					return tt.code
				}
				return 0
			}, "")})
			s, finish := startSwarm(t, n, speakMQTT(time.Second), f)
			benchtest.WaitFor(t, "all are refused", func() bool { return tt.got(s.Counts().Failures) == n })
			if !tt.forLong {
				benchtest.WaitFor(t, "all are ready in the end", func() bool { return s.Ready() == n })
			}
			least, most := 2*n, 2*n
			if tt.forLong { // U(0, 1min) is short for one of twelve now and then
				least, most = n, n+n/2
			}
			if sum := finish(); sum.Counters.Attempts < least || sum.Counters.Attempts > most || tt.got(sum.Counters.Failures) != n {
				t.Errorf("%d attempts, failures %+v; want %d to %d, and %d of its class", sum.Counters.Attempts, sum.Counters.Failures, least, most, n)
			}
		})
	}
}

func TestABrokerDropsTheSilentAfterOneAndAHalfKeepalives(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Meet: benchtest.EvictingBroker()})
	s, finish := startSwarm(t, 40, speakMQTT(500*time.Millisecond), f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 40 })
	s.Mute(10)
	benchtest.WaitFor(t, "10 evictions", func() bool { return s.Counts().Observed == 10 })
	sum := finish()
	if n := sum.Counters; sum.Ready != 30 || n.Early+n.Falsely+n.Faults+n.OtherMutes != 0 {
		t.Errorf("%d ready, %+v; want 30 and no eviction but those on time", sum.Ready, n)
	}
	if l := sum.Lateness.Lateness(); l.Min < 0 {
		t.Errorf("lateness %+v, want none early", l)
	}
}

func TestClientsOfABrokerThatDiesComeBack(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Meet: benchtest.Broker(benchtest.Accept, "")})
	addr := f.Addr()
	s, finish := startSwarm(t, 30, speakMQTT(10*time.Second), f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 30 })
	f.Stop()
	benchtest.WaitFor(t, "all are lost", func() bool { n := s.Counts().Losses; return n.Closed+n.Reset == 30 })
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	again := &benchtest.Node{Meet: benchtest.Broker(benchtest.Accept, "")}
	again.Serve(l)
	t.Cleanup(again.Stop)
	benchtest.WaitFor(t, "all are back", func() bool { return s.Ready() == 30 })
	if sum := finish(); sum.Counters.Established != 60 || sum.Counters.Attempts < 60 {
		t.Errorf("%d welcomed of %d attempts, want 60 and no fewer", sum.Counters.Established, sum.Counters.Attempts)
	}
}

func TestClientsOfAnEchoHeartbeatAndTheSilentAreDropped(t *testing.T) {
	const idle = 2 * time.Second
	f := benchtest.StartEcho(t, idle)
	s, finish := startSwarm(t, 40, func(c *Config) {
		c.Protocol, c.Interval, c.Timeout = foreign.Echo, 200*time.Millisecond, idle
	}, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 40 })
	benchtest.WaitFor(t, "120 echoes", func() bool { return s.Counts().Pongs >= 120 })
	s.Mute(10)
	benchtest.WaitFor(t, "10 evictions", func() bool { return s.Counts().Observed == 10 })
	sum := finish()
	if n := sum.Counters; sum.Ready != 30 || n.Attempts != 40 || n.Early+n.Falsely+n.Faults+n.Missed != 0 || n.Losses.Closed != 10 {
		t.Errorf("%d ready, %+v; want 30, and 10 closed on time", sum.Ready, n)
	}
}

// Nothing is written between the connect and the first PING: the server counts from the
// connect, and so do we.
func TestAnEchoThatDropsTooEarlyIsCaught(t *testing.T) {
	for _, timeout := range []time.Duration{0, 5 * time.Second} {
		f := benchtest.StartEcho(t, 200*time.Millisecond)
		s, finish := startSwarm(t, 10, func(c *Config) {
			c.Protocol, c.Interval, c.Timeout = foreign.Echo, time.Second, timeout
		}, f)
		benchtest.WaitFor(t, "ten are wronged", func() bool { return s.Counts().Falsely >= 10 })
		if sum := finish(); sum.Counters.Faults != 0 {
			t.Errorf("timeout %v: %d of them are called the generator's fault", timeout, sum.Counters.Faults)
		}
	}
}

func TestAnEchoThatFallsSilentIsGivenUp(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Meet: func(c *net.TCPConn, _ int) bool { io.Copy(io.Discard, c); return true }})
	s, finish := startSwarm(t, 5, func(c *Config) {
		c.Protocol, c.Interval, c.PongTimeout = foreign.Echo, 200*time.Millisecond, 300*time.Millisecond
	}, f)
	benchtest.WaitFor(t, "five are given up", func() bool { return s.Counts().Missed >= 5 })
	if sum := finish(); sum.Counters.Losses.PongTimeout != sum.Counters.Missed || sum.Counters.Pongs != 0 {
		t.Errorf("%+v: want losses by pong timeout only", sum.Counters)
	}
}

// A foreign server cannot name alternates: what it says is never read as our frames.
func TestABrokerThatSpeaksOurFramesIsMalformed(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Meet: func(c *net.TCPConn, _ int) bool {
		readSome(c)
		b, _ := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Terms: benchtest.ShortTerms, Alternates: []byte("127.0.0.9:1")})
		c.Write(b)
		readSome(c)
		return true
	}})
	s, _ := startSwarm(t, 3, speakMQTT(time.Second), f)
	benchtest.WaitFor(t, "three breaches", func() bool { return s.Counts().Failures.Protocol >= 3 })
	if s.Counts().Established != 0 {
		t.Error("somebody was welcomed")
	}
}
