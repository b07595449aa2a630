package bench

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
)

// asking is a short run against a node of the test's own.
func asking(f *benchtest.Node, name string) Config {
	return Config{Scenario: name, Targets: []string{f.Addr()}, Conns: 20, Rate: 2000, Duration: 300 * time.Millisecond,
		PongTimeout: 2 * time.Second, Workers: 1, Seed: 1, LateLimit: time.Minute}
}

// patient terms evict nobody in a test.
var patient = codec.Terms{Interval: 200 * time.Millisecond, Timeout: time.Minute, Window: 300 * time.Millisecond}

// A server that welcomes everybody and never answers a heartbeat passes nowhere, although
// nobody names a threshold and no client's patience is over by the end.
func TestADeadServerPassesNoScenario(t *testing.T) {
	for _, name := range []string{"hold", "ramp", "churn", "soak", "silent", "halfopen", "trickle", "phases", "storm", "talk", "find-max"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			terms := patient
			if name == "silent" || name == "halfopen" { // who is to be evicted must not take a minute
				terms.Timeout = 3 * time.Second
			}
			f := benchtest.Start(t, &benchtest.Node{Terms: terms, NoPong: true})
			cfg := asking(f, name)
			switch name {
			case "hold", "ramp", "phases", "churn", "trickle": // nobody's patience is over: no session is lost
				cfg.PongTimeout = time.Minute
			}
			switch name {
			case "halfopen":
				cfg.Deadline = terms.Timeout
			case "churn", "soak":
				cfg.Lifetime = 100 * time.Millisecond
			case "trickle":
				cfg.Trickle, cfg.TrickleInterval = "hello", time.Millisecond
			case "phases":
				cfg.Conns, cfg.Phases = 0, []scenario.Phase{{Do: "ramp", Clients: 20}}
			case "storm":
				cfg.Kind, cfg.RecoveryTimeout = "cut", time.Second
			case "find-max":
				cfg.Goal, cfg.Conns = "conns.lost==0", 4
			}
			r, err := Run(t.Context(), cfg, View{})
			if result.ExitCode(err) != result.ExitThreshold {
				t.Fatalf("exit %d, %v; want that a promise fails", result.ExitCode(err), err)
			}
			if name == "find-max" {
				return
			}
			h := r.Heartbeat
			if h.Answered != 0 || h.Unanswered == 0 || h.Sent != h.Unanswered || h.RTTms == nil || h.RTTms.Max < 100 {
				t.Errorf("heartbeat %+v, rtt %+v; want PINGs that count with their age", h, h.RTTms)
			}
			if !strings.Contains(err.Error(), "promised") {
				t.Errorf("%v: want the promise in words", err)
			}
		})
	}
}

// With a heartbeat of half a minute nobody is asked in a short run: but at its end.
func TestAServerThatDiedSinceTheLastHeartbeatDoesNotPass(t *testing.T) {
	t.Parallel()
	f := benchtest.Start(t, &benchtest.Node{Terms: codec.Terms{Interval: 30 * time.Second, Timeout: 2 * time.Minute}})
	r, err := Run(t.Context(), asking(f, "hold"), View{})
	if err != nil || r.Heartbeat.Answered != 20 {
		t.Fatalf("it lives: %v, %+v; want an answer of each of 20 clients", err, r.Heartbeat)
	}
	f.Dumb.Store(true)
	cfg := asking(f, "hold")
	cfg.PongTimeout = time.Minute // nobody gives it up: the wait for the answers is the run's
	began := time.Now()
	r, err = Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Heartbeat.Pending != 20 || r.Heartbeat.Missed != 0 {
		t.Errorf("it is dead: exit %d, %v, %+v; want 20 PINGs that are waited for", result.ExitCode(err), err, r.Heartbeat)
	}
	if waited := time.Since(began); waited < 10*time.Second || r.Heartbeat.RTTms.P50 < 9500 {
		t.Errorf("after %v the PINGs have waited for %+v ms, want the wait", waited, r.Heartbeat.RTTms)
	}
}

// The answers to the last PINGs are waited for: those of a living server are no failure.
func TestPINGsUnderWayAtTheEndAreWaitedFor(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: patient, Delay: 150 * time.Millisecond})
	r, err := Run(t.Context(), asking(f, "hold"), View{})
	if err != nil || r.Heartbeat.Sent != r.Heartbeat.Answered || r.Heartbeat.Answered < 20 {
		t.Errorf("%v, %+v; want all answered", err, r.Heartbeat)
	}
}

// A client that hears something else meanwhile asks again. Both PINGs have one answer, and it
// has waited since the first.
func TestAPINGThatIsAskedAgainWaitsSinceTheFirst(t *testing.T) {
	f := &benchtest.Node{}
	f.Meet = func(c *net.TCPConn, _ int) bool {
		r := bufio.NewReader(c)
		for pings := 0; ; {
			frame, err := benchtest.ReadFrame(r)
			switch {
			case err != nil:
				return true
			case frame.Type == codec.Hello:
				c.Write(f.Welcome())
			case frame.Type == codec.Ping:
				token, _, _ := codec.ParsePing(frame.Payload)
				if pings++; pings%2 == 1 {
					token = 0 // an announcement
				}
				c.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: f.Terms}))
			}
		}
	}
	cfg := asking(benchtest.Start(t, f), "hold")
	cfg.Duration = time.Second
	r, err := Run(t.Context(), cfg, View{})
	if h := r.Heartbeat; err != nil || h.Sent != h.Answered || h.RTTms.P50 < 150 || h.Pending != 0 {
		t.Errorf("%v, %+v, rtt %+v; want that each answer was waited for since a heartbeat before", err, h, h.RTTms)
	}
}

// A round trip above one heartbeat is the server's: the generator was not late.
func TestASlowServerIsNoLateGenerator(t *testing.T) {
	t.Parallel()
	f := benchtest.Start(t, &benchtest.Node{Terms: patient, Delay: 500 * time.Millisecond})
	cfg := asking(f, "hold")
	cfg.Duration, cfg.PongTimeout = 3*time.Second, time.Minute
	r, err := Run(t.Context(), cfg, View{})
	if err != nil || r.Verdict != result.Pass {
		t.Fatalf("%v, verdict %s", err, r.Verdict)
	}
	if late := r.Generator.LateMs; late.P50 > 100 { // 300 if to wait is to be late
		t.Errorf("generator late %+v ms; want its own", late)
	}
	h := r.Heartbeat
	if h.RTTms.P50 < 500 || h.IntendedRTTms.Max < h.RTTms.P50 {
		t.Errorf("rtt %+v, intended %+v", h.RTTms, h.IntendedRTTms)
	}
	// Coordinated omission: two or three PINGs were due while one was waited for.
	due, err := tally.Histogram(&r.Detail, "rtt_intended")
	if err != nil || due.Count() < 2*h.Answered {
		t.Errorf("%v, %d intended round trips for %d PONGs; want those that were due meanwhile", err, due.Count(), h.Answered)
	}
}

// Who waits for an answer goes on to PING, so that its server does not take it for silent; it gives the
// server up itself, which is no fault of the generator.
func TestWhoWaitsForAnAnswerIsNotSilent(t *testing.T) {
	t.Parallel()
	terms := patient
	terms.Timeout = 4 * time.Second // a busy generator keeps nobody silent for so long
	f := benchtest.Start(t, &benchtest.Node{Terms: terms, NoPong: true, Farewell: true})
	cfg := asking(f, "hold")
	cfg.Duration, cfg.PongTimeout = 8*time.Second, 6*time.Second // the timeout, and the clients' longer patience with a PONG
	r, err := Run(t.Context(), cfg, View{})
	e := r.Eviction
	if result.ExitCode(err) != result.ExitThreshold || e.GeneratorFault != 0 || e.False != 0 || r.Conns.Losses.Silence != 0 || r.Conns.Losses.PongTimeout == 0 || !r.Generator.Valid {
		t.Errorf("exit %d, %v, eviction %+v, losses %+v; want losses for want of a PONG, and no fault", result.ExitCode(err), err, e, r.Conns.Losses)
	}
}

// A run of PINGs byte by byte takes as long as one of them, whatever --duration says.
func TestATrickleIsNotOverBeforeAFrameIs(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: codec.Terms{Interval: time.Second, Timeout: time.Minute}})
	cfg := asking(f, "trickle")
	cfg.Trickle, cfg.TrickleInterval, cfg.Duration = "ping", 20*time.Millisecond, time.Millisecond
	r, err := Run(t.Context(), cfg, View{})
	if err != nil || r.WallS < 0.8+0.4 {
		t.Errorf("%v, after %.1f s; want a heartbeat and 20 bytes at least", err, r.WallS)
	}
}

// A run that was too short to show anything is nobody's failure: it is invalid, and says how long
// it must be.
func TestARunThatIsTooShortProvesNothing(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: patient})
	for name, want := range map[string]string{"churn": "one leaves every 3m0s", "soak": "one leaves every 3m0s"} {
		cfg := asking(f, name)
		cfg.Lifetime = time.Hour
		r, err := Run(t.Context(), cfg, View{})
		if result.ExitCode(err) != result.ExitInvalid || r.Verdict != result.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: exit %d, %v; want it invalid, with %q", name, result.ExitCode(err), err, want)
		}
	}
	c := Config{Scenario: "soak", Spawn: 1, Lifetime: time.Second, Duration: 5 * time.Second}
	if why := c.Unproven(&tally.Counters{Departures: 9}, &result.Soak{}); !strings.Contains(why, "must last 12s") {
		t.Errorf("a soak of 5 s: %q", why)
	}
	if why := c.Unproven(&tally.Counters{Departures: 9, Losses: result.Losses{Reset: 1}}, &result.Soak{}); why != "" {
		t.Errorf("a server that ended a session: %q", why)
	}
}
