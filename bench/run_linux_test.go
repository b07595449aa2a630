package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// spawned is a short run against children of kind, which are this test binary.
func spawned(t *testing.T, kind, name string, nodes, conns int) Config {
	t.Setenv(benchtest.AsServe, kind)
	timeout := 4 * time.Second // a busy machine must not look like a silent client
	tick := 50 * time.Millisecond
	switch name {
	case "silent":
		timeout = 2 * time.Second
		fallthrough
	case "halfopen", "trickle", "phases", "demo":
		tick = 500 * time.Millisecond // nor like a late eviction: two ticks and little more are promised
	}
	return Config{Scenario: name, Spawn: nodes, NodeCommand: []string{os.Args[0]}, Conns: conns, Rate: 2000, Seed: 1,
		Heartbeat: 200 * time.Millisecond, Timeout: timeout, Tick: tick,
		Duration: 300 * time.Millisecond, RecoveryTimeout: 30 * time.Second, LateLimit: time.Minute}
}

// untimed has of the promises of a scenario those judged that no busy machine breaks: counts, and no times and rates.
func untimed(t *testing.T, cfg Config) Config {
	t.Helper()
	p, err := scenario.Prepare(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.NoPromises, cfg.Thresholds = true, nil
	for _, th := range p.Judged {
		if !strings.Contains(th.Expr, "_s<=") && !strings.Contains(th.Expr, "_ms.") && !strings.Contains(th.Expr, "_per_s>=") {
			cfg.Thresholds = append(cfg.Thresholds, th.Expr)
		}
	}
	return cfg
}

func TestHoldPasses(t *testing.T) {
	benchtest.LeavesNothing(t)
	var csv, shown bytes.Buffer
	cfg := spawned(t, "good", "hold", 1, 200)
	cfg.Duration = 1500 * time.Millisecond
	r, err := Run(t.Context(), cfg, View{CSV: &csv, Progress: &shown})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != result.Pass || r.Conns.End != 200 || r.Connect.Attempts != 200 || r.Storm != nil || r.Eviction.LatenessMs != nil {
		t.Errorf("result = %+v", r)
	}
	if s := r.Server[0]; s.PID == nil || s.RSSBytes == nil || *s.RSSBytes <= 0 || s.FDs == nil || *s.FDs < 200 || s.Conns == nil || *s.Conns != 200 {
		t.Errorf("server = %+v, want its rss, 200 conns and as many descriptors", s)
	}
	if r.Generator.RSSBytes == nil || r.Generator.LateMs == nil || r.Heartbeat.RTTms == nil || r.Kernel.ListenDrops == nil {
		t.Errorf("generator %+v, heartbeat %+v, kernel %+v: something is not measured", r.Generator, r.Heartbeat, r.Kernel)
	}
	lines := strings.Split(strings.TrimSpace(csv.String()), "\n")
	if len(lines) < 2 || strings.Count(lines[0], ",") != strings.Count(lines[1], ",") {
		t.Errorf("csv = %q, want a header and rows of as many fields", csv.String())
	}
	if !strings.Contains(shown.String(), "all 200 clients are ready") {
		t.Errorf("shown = %q", shown.String())
	}
}

func TestTheResultIsOneJSONObjectWithEveryFieldOfTheSchema(t *testing.T) {
	benchtest.LeavesNothing(t)
	r, err := Run(t.Context(), spawned(t, "good", "demo", 2, 100), View{})
	if r == nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(`schema scenario seed started wall_s build.version build.go build.kernel build.cpus
		conns.target conns.peak conns.end connect.attempts connect.established connect.failures connect.rate_per_s
		heartbeat.sent heartbeat.answered heartbeat.missed heartbeat.rtt_ms.p50 heartbeat.rtt_ms.p90 heartbeat.rtt_ms.p99
		heartbeat.rtt_ms.p999 heartbeat.rtt_ms.max storm.kind storm.policy storm.clients storm.ideal_s storm.t50_s
		storm.t95_s storm.t99_s storm.t100_s storm.attempts_per_success storm.peak_attempts_per_s
		storm.lost_connection_seconds eviction.expected eviction.observed eviction.early eviction.false
		eviction.lateness_ms.min eviction.lateness_ms.p50 eviction.lateness_ms.p99 eviction.lateness_ms.max
		server generator.rss_bytes generator.cpu_s generator.late_ms.p50 generator.late_ms.p99 generator.late_ms.max
		generator.valid kernel.listen_overflows kernel.listen_drops kernel.abort_on_close thresholds verdict`) {
		var at any = doc
		for step := range strings.SplitSeq(path, ".") {
			m, _ := at.(map[string]any)
			at = m[step]
		}
		if at == nil {
			t.Errorf("%s is missing or null", path)
		}
	}
}

func TestStormKillsANodeAndAllReturn(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "storm", 2, 200)
	cfg.Kind = "kill"
	cfg.Duration = 1200 * time.Millisecond // a whole second is seen before the blow
	var seen []Update
	r, err := Run(t.Context(), untimed(t, cfg), View{Watch: func(u Update) { seen = append(seen, u) }})
	if err != nil {
		t.Fatal(err)
	}
	checkUpdates(t, seen)
	checkTimeline(t, seen, &r.Detail)
	if r.Storm.Clients != 100 || r.Storm.Back != 100 || r.Storm.T100S == nil || r.Conns.End != 200 || r.Eviction.False != 0 {
		t.Errorf("storm %+v, conns %+v, eviction %+v", r.Storm, r.Conns, r.Eviction)
	}
	if *r.Storm.IdealS != 100./2000 {
		t.Errorf("ideal = %v s for 100 clients at 2000/s", *r.Storm.IdealS)
	}
	if !r.Server[0].Killed || r.Server[1].Killed || r.Server[0].Conns == nil || *r.Server[0].Conns != 100 || *r.Server[1].Conns != 200 {
		t.Errorf("servers = %+v, want the first killed with 100, the second with 200", r.Server)
	}
}

// checkUpdates: the phases in their order, the events, and figures that make sense.
func checkUpdates(t *testing.T, seen []Update) {
	t.Helper()
	var phases, events []string
	var status *Status
	for _, u := range seen {
		if n := len(phases); n == 0 || phases[n-1] != u.Phase.Name {
			phases = append(phases, u.Phase.Name)
		}
		if u.Event != "" {
			events = append(events, u.Event)
		}
		if u.Status != nil {
			status = u.Status
		}
	}
	if got := strings.Join(phases, " "); strings.TrimSpace(got) != "ramp steady recovery aftermath answers end" {
		t.Errorf("phases = %q", got)
	}
	if len(events) < 3 || !strings.Contains(strings.Join(events, "\n"), "kill -9 of node n1") {
		t.Errorf("events = %q", events)
	}
	if status == nil {
		t.Fatal("no second was shown")
	}
	if status.Ready == 0 || status.RTT == nil || status.Generator.LateMs == nil || status.Generator.RSSBytes == nil ||
		len(status.Servers) != 2 || len(status.Outlook) == 0 {
		t.Errorf("status = %+v: something is missing", status)
	}
}

// checkTimeline: every second knew the phases and events that the result has from before it.
func checkTimeline(t *testing.T, seen []Update, d *result.Detail) {
	t.Helper()
	for _, u := range seen {
		if u.Status == nil {
			continue
		}
		for i, p := range d.Phases {
			if p.T < u.Status.T && (i >= len(u.Status.Phases) || u.Status.Phases[i] != p) {
				t.Errorf("at %v s phase %+v is not among %+v", u.Status.T, p, u.Status.Phases)
			}
		}
		for i, e := range d.Events {
			if e.T < u.Status.T && (i >= len(u.Status.Events) || u.Status.Events[i].Name != e.Name) {
				t.Errorf("at %v s event %+v is not among %+v", u.Status.T, e, u.Status.Events)
			}
		}
	}
}

func TestDrainMovesAllWithoutAGap(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "storm", 2, 200)
	cfg.Kind = "drain"
	cfg.NodeArgs = []string{"admit-rate=200", "failover-rate=200", "drain-grace=100ms"}
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Storm
	if s.Clients != 100 || s.Back != 100 || s.Offline != 0 || s.LostConnectionSeconds != 0 || *s.AttemptsPerSuccess != 1 || r.Conns.End != 200 {
		t.Errorf("storm %+v, conns %+v", s, r.Conns)
	}
	if *s.PacePerS != 200 || *s.IdealS != 0.5 || s.AcceptRatePerS == nil || *s.AcceptOverPace != *s.AcceptRatePerS/200 {
		t.Errorf("pace %s, ideal %s, accepted %s, over pace %s", result.Number(s.PacePerS), result.Number(s.IdealS), result.Number(s.AcceptRatePerS), result.Number(s.AcceptOverPace))
	}
	if *s.T50S < 0.2 || *s.T100S < 0.5 {
		t.Errorf("t50 %s, t100 %s: faster than the node tells them", result.Number(s.T50S), result.Number(s.T100S))
	}
}

func TestDrainFailsANodeThatClosesInsteadOfHandingOver(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "rude", "storm", 2, 40)
	cfg.Kind = "drain"
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Storm.Offline != 20 || r.Storm.LostConnectionSeconds <= 0 {
		t.Errorf("exit %d, %v, storm %+v", result.ExitCode(err), err, r.Storm)
	}
}

func TestSilentFailsAServerThatOverlooksThem(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "silent", 1, 80)
	cfg.Fraction = 0.25
	cfg.Thresholds = []string{"eviction.observed==20", "eviction.early==0", "eviction.false==0"}
	if r, err := Run(t.Context(), untimed(t, cfg), View{}); err != nil || r.Eviction.Expected != 20 || r.Eviction.Observed != 20 {
		t.Errorf("20 silent clients: %+v, %v", r.Eviction, err)
	}
	cfg.Thresholds = []string{"eviction.observed==21"}
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Verdict != result.Fail {
		t.Errorf("a threshold that fails: exit %d, %v", result.ExitCode(err), err)
	}
}

func TestInterruptedRunsHaveTheirPartialResult(t *testing.T) {
	benchtest.LeavesNothing(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cfg := spawned(t, "good", "hold", 1, 50)
	cfg.Duration = time.Hour
	r, err := Run(ctx, cfg, View{Watch: func(u Update) {
		if s := u.Status; s != nil && s.Ready == 50 && s.RTT != nil {
			cancel(errors.New("interrupt signal received"))
		}
	}})
	if result.ExitCode(err) != result.ExitInterrupted || r == nil || !r.Interrupted || r.Verdict != result.Invalid {
		t.Fatalf("Run = %+v, exit %d, %v", r, result.ExitCode(err), err)
	}
	if r.Conns.End != 50 || r.Heartbeat.Answered == 0 {
		t.Errorf("conns %+v, heartbeat %+v: the partial result lacks what ran", r.Conns, r.Heartbeat)
	}
}

func TestANodeThatDiesUnaskedEndsTheRunWithItsLastWords(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "20", "hold", 1, 50) // dies when it holds 20
	cfg.Duration = time.Hour
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitOther || !strings.Contains(err.Error(), "last words") || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("Run: exit %d, %v", result.ExitCode(err), err)
	}
	if r == nil || r.Verdict != result.Invalid {
		t.Errorf("result = %+v, want what ran, invalid", r)
	}
}

func TestANodeThatDoesNotStartIsTold(t *testing.T) {
	benchtest.LeavesNothing(t)
	_, err := Run(t.Context(), spawned(t, "second-broken", "hold", 2, 50), View{})
	if result.ExitCode(err) != result.ExitOther || !strings.Contains(err.Error(), "first words") {
		t.Errorf("Run: exit %d, %v", result.ExitCode(err), err)
	}
}

func TestAWrongFlagOfANodeIsAUsageError(t *testing.T) {
	benchtest.LeavesNothing(t)
	_, err := Run(t.Context(), spawned(t, "wrong-flag", "hold", 2, 50), View{})
	if result.ExitCode(err) != result.ExitUsage || err.Error() != "node n1 did not start: unknown flag --foo" {
		t.Errorf("Run: exit %d, %v", result.ExitCode(err), err)
	}
}

func TestATargetThatIsNotThereEndsTheRunAtOnce(t *testing.T) {
	benchtest.LeavesNothing(t)
	addr := benchtest.FreeAddr(t)
	r, err := Run(t.Context(), Config{Scenario: "hold", Targets: []string{addr}, Conns: 10}, View{})
	if r != nil || result.ExitCode(err) != result.ExitOther || err.Error() != "no server at "+addr+": connection refused" {
		t.Errorf("Run: %+v, exit %d, %v", r, result.ExitCode(err), err)
	}
}

func TestATargetThatWelcomesNobodyEndsTheRunSoon(t *testing.T) {
	benchtest.LeavesNothing(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nobody accepts; the kernel does
	cfg := Config{Scenario: "hold", Targets: []string{l.Addr().String()}, Conns: 10, Duration: time.Hour}
	r, err := Run(t.Context(), cfg, View{})
	if r.CutShort == nil || result.ExitCode(err) != result.ExitOther || !strings.Contains(err.Error(), "nobody was welcomed at "+cfg.Targets[0]) || !strings.Contains(err.Error(), "; the first: ") || strings.Contains(err.Error(), "the server says") {
		t.Errorf("Run: exit %d, %v", result.ExitCode(err), err)
	}
}
