package tally

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestMergeAddsEveryCount(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := benchtest.Part(1, at, time.Millisecond), benchtest.Part(2, at, time.Millisecond)
	m, err := Merge([]*result.Result{a, b}, []string{"conns.end>0"}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts := 0
	for _, path := range benchtest.Leaves(reflect.TypeFor[result.Result](), "") {
		path = strings.ReplaceAll(path, ".N", ".0")
		if !result.AddsUp(path) || path == "conns.peak" || strings.HasPrefix(path, "handshake.") { // which is refused
			continue
		}
		value := func(r *result.Result) float64 { return benchtest.Figure(t, r, path) }
		if path == "connect.rate_per_s" || strings.HasPrefix(path, "storm.") && strings.HasSuffix(path, "s_per_s") || strings.HasPrefix(path, "storm.goodput_per_s.") {
			continue
		}
		counts++
		if got, want := value(m), value(a)+value(b); got != want {
			t.Errorf("%s = %v of %v and %v", path, got, value(a), value(b))
		}
	}
	if counts < 50 {
		t.Errorf("%d counts were looked at", counts)
	}
	// Floats that are sums, too: a limit on one of them must be added up.
	for _, path := range []string{"generator.cpu_s", "storm.pace_per_s", "storm.accept_rate_per_s", "cohorts.0.back", "cohorts.0.peak_attempts_per_s"} {
		if !result.AddsUp(path) {
			t.Errorf("%s does not count as a sum", path)
		}
	}
}

func TestMergeTakesPercentilesFromTheSum(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a := benchtest.Part(1, at, 1*time.Millisecond, 2*time.Millisecond, 3*time.Millisecond)
	b := benchtest.Part(2, at, 40*time.Millisecond)
	m, err := Merge([]*result.Result{a, b}, []string{"conns.end>0"}, false, []string{"stormwheel"})
	if err != nil {
		t.Fatal(err)
	}
	whole := NewHist()
	for _, d := range []time.Duration{1, 2, 3, 40} {
		whole.Record(d * time.Millisecond)
	}
	if got, want := *m.Heartbeat.RTTms, *whole.Percentiles(); got != want {
		t.Errorf("rtt = %+v, want %+v", got, want)
	}
	if *m.Storm.T50S < 0.199 || *m.Storm.T50S > 0.201 || *m.Storm.T100S < 3.99 || *m.Storm.T100S > 4.01 {
		t.Errorf("t50 %v, t100 %v, want 0.2 and 4 s", *m.Storm.T50S, *m.Storm.T100S)
	}
	if *m.Storm.IdealS != 4.0/200 || *m.Storm.AttemptsPerSuccess != 6.0/4 || m.Storm.PeakAttemptsPerS != 40 {
		t.Errorf("storm = %+v, want 4 clients by 200 a second, 6 attempts, 40 a second", m.Storm)
	}
	if len(m.Server) != 1 || len(m.Parts) != 2 || m.Parts[1].Seed != 2 {
		t.Errorf("servers %+v, parts %+v", m.Server, m.Parts)
	}
}

func TestMergeAddsTheSecondsOfTheClock(t *testing.T) {
	a, b := benchtest.Part(1, time.Unix(1000, 0).UTC(), 1), benchtest.Part(2, time.Unix(1002, 3e8).UTC(), 1)
	rss := int64(5)
	a.Detail.Seconds = []result.Second{{T: 1, Ready: 10, Attempts: 10, Servers: []result.ServerSecond{{RSSBytes: &rss}}},
		{T: 2.1, Ready: 20, Attempts: 10, Servers: []result.ServerSecond{{}}}, {T: 4, Ready: 30, Attempts: 10, RTTp50: new(1.0), Servers: []result.ServerSecond{{}}}}
	b.Detail.Seconds = []result.Second{{T: 1, Ready: 1, Attempts: 1}, {T: 2, Ready: 2, Attempts: 1, RTTp50: new(2.0)}}
	a.Conns.End, b.Conns.End, a.Conns.Peak, b.Conns.Peak = 1, 1, 30, 2
	last, other := &a.Detail.Seconds[2], &b.Detail.Seconds[1] // of the same second
	last.Sent, last.Acknowledged, last.Delivered, last.Undelivered, last.MessageP99, last.DeliverP50 = 1, 2, 3, 4, new(5.0), new(6.0)
	other.Sent, other.Acknowledged, other.Delivered, other.Undelivered, other.MessageP99, other.MessageP50 = 10, 20, 30, 40, new(50.0), new(60.0)
	last.Span, last.Lost, last.Failed, last.Unanswered, last.RTTMax = 1, 1, 2, 3, new(4.0)
	other.Span, other.Lost, other.Failed, other.Unanswered, other.RTTMax, other.LateP99 = .5, 10, 20, 30, new(40.0), new(50.0)
	m, err := Merge([]*result.Result{a, b}, []string{"conns.end>0"}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got [][3]float64
	for _, s := range m.Detail.Seconds {
		got = append(got, [3]float64{s.T, float64(s.Ready), float64(s.Attempts)})
	}
	// b's first row ends at 1003.3, its second at 1004.3.
	if want := [][3]float64{{1, 10, 10}, {2, 20, 10}, {3, 21, 1}, {4, 32, 11}}; !reflect.DeepEqual(got, want) {
		t.Errorf("seconds = %v, want %v", got, want)
	}
	if p := m.Detail.Seconds[3].RTTp50; p == nil || *p != 2 {
		t.Errorf("p50 of the last second = %v, want the larger", p)
	}
	if s := m.Detail.Seconds[3]; s.Sent != 11 || s.Acknowledged != 22 || s.Delivered != 33 || s.Undelivered != 44 || *s.MessageP99 != 50 || *s.MessageP50 != 60 || *s.DeliverP50 != 6 {
		t.Errorf("messages of the last second are %+v, want their sums, and the larger times", s)
	}
	if s := m.Detail.Seconds[3]; s.Span != 1 || s.Lost != 11 || s.Failed != 22 || s.Unanswered != 33 || *s.RTTMax != 40 || *s.LateP99 != 50 {
		t.Errorf("the last second is %+v, want the sums, the larger times, and one second", s)
	}
	if m.Conns.Peak != 32 || m.WallS != 7.3 || *m.Detail.Seconds[0].Servers[0].RSSBytes != 5 || len(m.Detail.Seconds[3].Servers) != 1 {
		t.Errorf("peak %d, wall %v, servers %+v", m.Conns.Peak, m.WallS, m.Detail.Seconds)
	}
}

func TestMergeEvaluatesThresholdsAgain(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := benchtest.Part(1, at, time.Millisecond), benchtest.Part(2, at, 50*time.Millisecond)
	for i, p := range []*result.Result{a, b} {
		p.Conns.End = 500 + i
		for _, e := range []string{[]string{"conns.end==500", "conns.end==501"}[i], "conns.lost>=0", "conns.lost>=1", "heartbeat.rtt_ms.max<45", "connect.rate_per_s>=0"} {
			p.Thresholds = append(p.Thresholds, result.ThresholdSeen{Expr: e, OK: true})
		}
		p.Connect.RatePerS = new(10.0)
	}
	m, err := Merge([]*result.Result{a, b}, nil, false, nil)
	if result.ExitCode(err) != result.ExitThreshold || m.Verdict != result.Fail {
		t.Errorf("exit %d, verdict %s: the slow part was not seen", result.ExitCode(err), m.Verdict)
	}
	got := map[string]bool{}
	for _, s := range m.Thresholds {
		got[s.Expr] = s.OK
	}
	if want := map[string]bool{"conns.end==1001": true, "conns.lost>=0": true, "conns.lost>=2": true, "connect.rate_per_s>=0": true, "heartbeat.rtt_ms.max<45": false}; !reflect.DeepEqual(got, want) {
		t.Errorf("thresholds = %v, want %v", got, want)
	}
	b.Generator.WhyInvalid, b.Verdict = new("it was late"), result.Invalid
	if m, err = Merge([]*result.Result{a, b}, []string{"conns.end>0"}, false, nil); result.ExitCode(err) != result.ExitInvalid || m.Verdict != result.Invalid || !strings.Contains(err.Error(), "part 2: it was late") {
		t.Errorf("one part is invalid: %s, %v", m.Verdict, err)
	}
	b.Generator.WhyInvalid, b.Interrupted = nil, true
	if m, err = Merge([]*result.Result{a, b}, []string{"conns.end>0"}, false, nil); result.ExitCode(err) != result.ExitInvalid || !m.Interrupted {
		t.Errorf("one part was interrupted: %v", err)
	}
}

// What the parts' scenario promises is judged, what was asked for beyond it, and what is asked
// for now; only the promises can be waived.
func TestThresholdsOfAMergeAddToThoseOfTheParts(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := benchtest.Part(1, at, 1), benchtest.Part(2, at, 1)
	for _, p := range []*result.Result{a, b} {
		p.Thresholds = []result.ThresholdSeen{{Expr: "heartbeat.unanswered==0", Promise: true}, {Expr: "wall_s<100"}}
	}
	for _, waived := range []bool{false, true} {
		m, _ := Merge([]*result.Result{a, b}, []string{"conns.end>0"}, waived, nil)
		want := []string{"heartbeat.unanswered==0", "wall_s<100", "conns.end>0"}
		if waived {
			want = want[1:]
		}
		var got []string
		for _, s := range m.Thresholds {
			got = append(got, s.Expr)
			if promise := s.Expr == "heartbeat.unanswered==0"; s.Promise != promise {
				t.Errorf("%s: promise %v", s.Expr, s.Promise)
			}
		}
		if !slices.Equal(got, want) || m.Promises == waived {
			t.Errorf("waived %v: thresholds %q, promises %v; want %q", waived, got, m.Promises, want)
		}
	}
}

func TestMergeRefusesWhatIsNotOneExperiment(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	for _, tt := range []struct {
		name   string
		change func(b *result.Result)
		want   string
	}{
		{"scenario", func(b *result.Result) { b.Scenario = "hold" }, `scenario "storm" and "hold"`},
		{"schema", func(b *result.Result) { b.Schema = "stormwheel.bench/v1" }, `part 2 is of the schema "stormwheel.bench/v1"`},
		{"protocol", func(b *result.Result) { b.Load.Protocol = "mqtt" }, "protocol is stormwheel and mqtt"},
		{"heartbeat", func(b *result.Result) { b.Load.HeartbeatMs = 2000 }, "heartbeat_ms is none and 2000"},
		{"timeout", func(b *result.Result) { b.Load.TimeoutMs = 5000 }, "timeout_ms is none and 5000"},
		{"patience", func(b *result.Result) { b.Load.PongTimeoutMs = 1 }, "pong_timeout_ms"},
		{"lifetime", func(b *result.Result) { b.Load.LifetimeS = 1 }, "lifetime_s"},
		{"fraction", func(b *result.Result) { b.Load.Fraction = 0.5 }, "fraction"},
		{"outage", func(b *result.Result) { b.Load.OutageS = 15 }, "outage_s"},
		{"seed twice", func(b *result.Result) { b.Parts = []result.Part{{Seed: 3}, {Seed: 3}} }, "part 2 has the seed 3 twice"},
		{"policy", func(b *result.Result) { b.Storm.Policy = "full" }, `policy "window" and "full"`},
		{"kind", func(b *result.Result) { b.Storm = nil }, "kind of storm"},
		{"terms", func(b *result.Result) { b.Terms = nil }, "terms"},
		{"search", func(b *result.Result) { b.FindMax = &result.FindMax{} }, "part 2 is a search"},
		{"handshakes", func(b *result.Result) { b.Handshake = &result.Handshake{} }, "part 2 made handshakes"},
		{"seed", func(b *result.Result) { b.Seed = 1 }, "same seed 1"},
		{"a part's seed", func(b *result.Result) { b.Parts = []result.Part{{Seed: 3}, {Seed: 1}} }, "same seed 1"},
		{"histogram", func(b *result.Result) { b.Detail.Histograms["rtt"] = "x" }, "part 2: histogram rtt"},
	} {
		a, b := benchtest.Part(1, at, 1), benchtest.Part(2, at, 1)
		a.Terms, b.Terms, a.Parts, b.Parts = &result.Terms{HeartbeatMs: 1}, &result.Terms{HeartbeatMs: 1}, nil, nil
		tt.change(b)
		m, err := Merge([]*result.Result{a, b}, []string{"conns.end>0"}, false, nil)
		if m != nil || result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want exit %d and one line with %q", tt.name, err, result.ExitUsage, tt.want)
		}
	}
	if _, err := Merge([]*result.Result{benchtest.Part(1, at, 1)}, nil, false, nil); result.ExitCode(err) != result.ExitUsage {
		t.Errorf("one part: %v", err)
	}
}

// A limit that one part failed and another never had must not vanish in their sum.
func TestMergeRefusesPartsThatWereNotJudgedAlike(t *testing.T) {
	t0 := time.Unix(1e9, 0)
	a, b := benchtest.Part(1, t0, time.Millisecond), benchtest.Part(2, t0, time.Millisecond)
	a.Thresholds = []result.ThresholdSeen{{Expr: "connect.failed==0", OK: false}, {Expr: "conns.lost==0", Promise: true, OK: false}}
	a.Verdict = result.Fail
	for _, parts := range [][]*result.Result{{a, b}, {b, a}} {
		r, err := Merge(parts, nil, false, nil)
		if r != nil || result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), "only one of them has a limit on") {
			t.Errorf("%v, %v; want a refusal that names the figure", r, err)
		}
	}
	b.Thresholds = a.Thresholds
	if r, err := Merge([]*result.Result{a, b}, nil, false, nil); r == nil {
		t.Errorf("judged alike: %v", err)
	}
}
