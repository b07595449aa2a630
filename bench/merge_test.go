package bench

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// fillCounts sets every integer below v to something else, and what points to one.
func fillCounts(v reflect.Value, next *int64) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			fillCounts(v.Field(i), next)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillCounts(v.Elem(), next)
	case reflect.Int, reflect.Int64:
		*next++
		v.SetInt(*next)
	}
}

// aPart is a result with a count in every place that has one.
func aPart(seed uint64, started time.Time, rtts ...time.Duration) *Result {
	r := &Result{}
	next := int64(seed * 1000)
	fillCounts(reflect.ValueOf(r).Elem(), &next)
	h, returns, none := newHist(), newHist(), newHist()
	for _, d := range rtts {
		h.record(d)
		returns.record(100 * d)
	}
	r.Schema, r.Scenario, r.Seed, r.Started, r.WallS = Schema, "storm", seed, started, 5
	r.Storm.Kind, r.Storm.Policy, r.Storm.Clients, r.Storm.Back = "kill", "window", len(rtts), len(rtts)
	r.Storm.IdealS, r.Storm.LostConnectionSeconds = new(float64(len(rtts))/100), 1.5
	r.FindMax, r.Soak, r.Churn.LifetimeS = nil, nil, 10
	r.Load, r.Promises = Load{Protocol: protocolOwn}, true
	r.Cohorts = []Cohort{{Policy: "full", Clients: len(rtts), Back: len(rtts), PeakAttemptsPerS: 10}}
	r.Server = []Server{{Addr: "127.0.0.1:1"}}
	r.Verdict, r.Generator.WhyInvalid, r.Eviction.GeneratorFault = Pass, nil, 0
	f := &r.Connect.Failures
	f.Ports, f.Descriptors, f.Memory = 0, 0, 0 // they would make it invalid
	// These follow from others.
	r.Conns.Lost, r.Connect.Failed = r.Conns.Losses.total(), r.Connect.Failures.total()
	r.Eviction.Overlooked = r.Eviction.Expected - r.Eviction.Observed - r.Eviction.Other
	r.Churn.Missing = r.Churn.Departures - r.Churn.Returns
	r.Detail = Detail{Histograms: map[string]string{}, AttemptsPer100ms: []uint32{2, 1}, OutagesS: 1.5}
	for name, from := range map[string]*hist{"rtt": h, "rtt_actual": h, "connect": h, "late": h, "lateness": none, "return": returns, "return_0": returns} {
		text, err := from.text()
		if err != nil {
			panic(err)
		}
		r.Detail.Histograms[name] = text
	}
	return r
}

func TestMergeAddsEveryCount(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := aPart(1, at, time.Millisecond), aPart(2, at, time.Millisecond)
	m, err := Merge([]*Result{a, b}, []string{"conns.end>0"}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts := 0
	for _, path := range leaves(reflect.TypeFor[Result](), "") {
		path = strings.ReplaceAll(path, ".N", ".0")
		if !addsUp(path) || path == "conns.peak" {
			continue
		}
		steps := strings.Split(path, ".")
		value := func(r *Result) float64 {
			v, ok := lookUp(docOf(t, r), steps)
			if !ok {
				t.Fatalf("%s is no number", path)
			}
			return v
		}
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
		if !addsUp(path) {
			t.Errorf("%s does not count as a sum", path)
		}
	}
}

func docOf(t *testing.T, r *Result) any {
	t.Helper()
	seen, err := docOfResult(r)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestMergeTakesPercentilesFromTheSum(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a := aPart(1, at, 1*time.Millisecond, 2*time.Millisecond, 3*time.Millisecond)
	b := aPart(2, at, 40*time.Millisecond)
	m, err := Merge([]*Result{a, b}, []string{"conns.end>0"}, false, []string{"stormwheel"})
	if err != nil {
		t.Fatal(err)
	}
	whole := newHist()
	for _, d := range []time.Duration{1, 2, 3, 40} {
		whole.record(d * time.Millisecond)
	}
	if got, want := *m.Heartbeat.RTTms, *whole.percentiles(); got != want {
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
	a, b := aPart(1, time.Unix(1000, 0).UTC(), 1), aPart(2, time.Unix(1002, 3e8).UTC(), 1)
	rss := int64(5)
	a.Detail.Seconds = []Second{{T: 1, Ready: 10, Attempts: 10, Servers: []ServerSecond{{RSSBytes: &rss}}},
		{T: 2.1, Ready: 20, Attempts: 10, Servers: []ServerSecond{{}}}, {T: 4, Ready: 30, Attempts: 10, RTTp50: new(1.0), Servers: []ServerSecond{{}}}}
	b.Detail.Seconds = []Second{{T: 1, Ready: 1, Attempts: 1}, {T: 2, Ready: 2, Attempts: 1, RTTp50: new(2.0)}}
	a.Conns.End, b.Conns.End, a.Conns.Peak, b.Conns.Peak = 1, 1, 30, 2
	m, err := Merge([]*Result{a, b}, []string{"conns.end>0"}, false, nil)
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
	if m.Conns.Peak != 32 || m.WallS != 7.3 || *m.Detail.Seconds[0].Servers[0].RSSBytes != 5 || len(m.Detail.Seconds[3].Servers) != 1 {
		t.Errorf("peak %d, wall %v, servers %+v", m.Conns.Peak, m.WallS, m.Detail.Seconds)
	}
}

func TestMergeEvaluatesThresholdsAgain(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := aPart(1, at, time.Millisecond), aPart(2, at, 50*time.Millisecond)
	for i, p := range []*Result{a, b} {
		p.Conns.End = 500 + i
		for _, e := range []string{[]string{"conns.end==500", "conns.end==501"}[i], "conns.lost>=0", "conns.lost>=1", "heartbeat.rtt_ms.max<45", "connect.rate_per_s>=0"} {
			p.Thresholds = append(p.Thresholds, ThresholdSeen{Expr: e, OK: true})
		}
		p.Connect.RatePerS = new(10.0)
	}
	m, err := Merge([]*Result{a, b}, nil, false, nil)
	if ExitCode(err) != ExitThreshold || m.Verdict != Fail {
		t.Errorf("exit %d, verdict %s: the slow part was not seen", ExitCode(err), m.Verdict)
	}
	got := map[string]bool{}
	for _, s := range m.Thresholds {
		got[s.Expr] = s.OK
	}
	if want := map[string]bool{"conns.end==1001": true, "conns.lost>=0": true, "conns.lost>=2": true, "connect.rate_per_s>=0": true, "heartbeat.rtt_ms.max<45": false}; !reflect.DeepEqual(got, want) {
		t.Errorf("thresholds = %v, want %v", got, want)
	}
	b.Generator.WhyInvalid, b.Verdict = new("it was late"), Invalid
	if m, err = Merge([]*Result{a, b}, []string{"conns.end>0"}, false, nil); ExitCode(err) != ExitInvalid || m.Verdict != Invalid || !strings.Contains(err.Error(), "part 2: it was late") {
		t.Errorf("one part is invalid: %s, %v", m.Verdict, err)
	}
	b.Generator.WhyInvalid, b.Interrupted = nil, true
	if m, err = Merge([]*Result{a, b}, []string{"conns.end>0"}, false, nil); ExitCode(err) != ExitInvalid || !m.Interrupted {
		t.Errorf("one part was interrupted: %v", err)
	}
}

// What the parts' scenario promises is judged, what was asked for beyond it, and what is asked
// for now; only the promises can be waived.
func TestThresholdsOfAMergeAddToThoseOfTheParts(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := aPart(1, at, 1), aPart(2, at, 1)
	for _, p := range []*Result{a, b} {
		p.Thresholds = []ThresholdSeen{{Expr: "heartbeat.unanswered==0", Promise: true}, {Expr: "wall_s<100"}}
	}
	for _, waived := range []bool{false, true} {
		m, _ := Merge([]*Result{a, b}, []string{"conns.end>0"}, waived, nil)
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
		change func(b *Result)
		want   string
	}{
		{"scenario", func(b *Result) { b.Scenario = "hold" }, `scenario "storm" and "hold"`},
		{"schema", func(b *Result) { b.Schema = schemaV1 }, `part 2 is of the schema "stormwheel.bench/v1"`},
		{"protocol", func(b *Result) { b.Load.Protocol = "mqtt" }, "protocol is stormwheel and mqtt"},
		{"heartbeat", func(b *Result) { b.Load.HeartbeatMs = 2000 }, "heartbeat_ms is none and 2000"},
		{"timeout", func(b *Result) { b.Load.TimeoutMs = 5000 }, "timeout_ms is none and 5000"},
		{"patience", func(b *Result) { b.Load.PongTimeoutMs = 1 }, "pong_timeout_ms"},
		{"lifetime", func(b *Result) { b.Load.LifetimeS = 1 }, "lifetime_s"},
		{"fraction", func(b *Result) { b.Load.Fraction = 0.5 }, "fraction"},
		{"outage", func(b *Result) { b.Load.OutageS = 15 }, "outage_s"},
		{"seed twice", func(b *Result) { b.Parts = []Part{{Seed: 3}, {Seed: 3}} }, "part 2 has the seed 3 twice"},
		{"policy", func(b *Result) { b.Storm.Policy = "full" }, `policy "window" and "full"`},
		{"kind", func(b *Result) { b.Storm = nil }, "kind of storm"},
		{"terms", func(b *Result) { b.Terms = nil }, "terms"},
		{"search", func(b *Result) { b.FindMax = &FindMax{} }, "part 2 is a search"},
		{"seed", func(b *Result) { b.Seed = 1 }, "same seed 1"},
		{"a part's seed", func(b *Result) { b.Parts = []Part{{Seed: 3}, {Seed: 1}} }, "same seed 1"},
		{"histogram", func(b *Result) { b.Detail.Histograms["rtt"] = "x" }, "part 2: histogram rtt"},
	} {
		a, b := aPart(1, at, 1), aPart(2, at, 1)
		a.Terms, b.Terms, a.Parts, b.Parts = &Terms{HeartbeatMs: 1}, &Terms{HeartbeatMs: 1}, nil, nil
		tt.change(b)
		m, err := Merge([]*Result{a, b}, []string{"conns.end>0"}, false, nil)
		if m != nil || ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want exit %d and one line with %q", tt.name, err, ExitUsage, tt.want)
		}
	}
	if _, err := Merge([]*Result{aPart(1, at, 1)}, nil, false, nil); ExitCode(err) != ExitUsage {
		t.Errorf("one part: %v", err)
	}
}

func TestReadResultReadsWhatWasWrittenAndNothingElse(t *testing.T) {
	a := aPart(1, time.Unix(1000, 0).UTC(), 1)
	var b bytes.Buffer
	if err := a.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if got, err := ReadResult(&b); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("read %+v, %v", got, err)
	}
	for _, bad := range []string{"", "[]", `{"schema":"stormwheel.bench/v9"}`, strings.Replace(text, `"wall_s"`, `"wall"`, 1)} {
		if _, err := ReadResult(strings.NewReader(bad)); ExitCode(err) != ExitUsage || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
}

func TestParseStart(t *testing.T) {
	zone := time.FixedZone("", 3600)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, zone)
	for _, tt := range []struct {
		text string
		want time.Time
	}{
		{"12:00:05", now.Add(5 * time.Second)},
		{"11:59:59", now.Add(24*time.Hour - time.Second)},
		{"2026-03-01T11:30:00Z", now.Add(30 * time.Minute)},
	} {
		if got, err := ParseStart(tt.text, now); err != nil || !got.Equal(tt.want) {
			t.Errorf("%s = %v, %v; want %v", tt.text, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "noon", "12:00", "2026-03-01T10:59:59Z", "2026-03-03T11:00:00Z"} {
		if got, err := ParseStart(bad, now); ExitCode(err) != ExitUsage {
			t.Errorf("%q = %v, %v", bad, got, err)
		}
	}
}

// In the night in which an hour occurs twice the clocks show each of its times twice, and the
// next one counts; in that in which one is left out, they show none of its times.
func TestParseStartKnowsTheNightsOfTheClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	utc := func(day, hour, minute int) time.Time { return time.Date(2026, 10, day, hour, minute, 0, 0, time.UTC) }
	for _, tt := range []struct {
		now  time.Time
		text string
		want time.Time
	}{
		{utc(24, 23, 0), "02:30:00", utc(25, 0, 30)},  // 01:00: the first 02:30 is next
		{utc(25, 0, 31), "02:30:00", utc(25, 1, 30)},  // 02:31, the first: the second is
		{utc(25, 0, 31), "02:40:00", utc(25, 0, 40)},  // 02:31, the first
		{utc(25, 1, 20), "02:30:00", utc(25, 1, 30)},  // 02:20, the second
		{utc(25, 1, 31), "02:30:00", utc(26, 1, 30)},  // 02:31, the second: tomorrow
		{utc(25, 0, 31), "03:00:00", utc(25, 2, 0)},   // behind the two
		{utc(24, 12, 0), "12:00:00", utc(25, 11, 0)},  // a day of 25 hours
		{utc(24, 12, 30), "13:00:00", utc(25, 12, 0)}, // the same
	} {
		if got, err := ParseStart(tt.text, tt.now.In(berlin)); err != nil || !got.Equal(tt.want) {
			t.Errorf("%s at %v = %v, %v; want %v", tt.text, tt.now.In(berlin), got, err, tt.want.In(berlin))
		}
	}
	spring := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC) // 01:00, and an hour later 03:00
	if got, err := ParseStart("03:00:00", spring.In(berlin)); err != nil || !got.Equal(spring.Add(time.Hour)) {
		t.Errorf("03:00:00 = %v, %v", got, err)
	}
	if got, err := ParseStart("02:30:00", spring.In(berlin)); err != nil || !got.Equal(spring.Add(24*time.Hour+30*time.Minute)) {
		t.Errorf("02:30:00 of a night that has none = %v, %v; want that of the next", got, err)
	}
}

// A limit that one part failed and another never had must not vanish in their sum.
func TestMergeRefusesPartsThatWereNotJudgedAlike(t *testing.T) {
	t0 := time.Unix(1e9, 0)
	a, b := aPart(1, t0, time.Millisecond), aPart(2, t0, time.Millisecond)
	a.Thresholds = []ThresholdSeen{{Expr: "connect.failed==0", OK: false}, {Expr: "conns.lost==0", Promise: true, OK: false}}
	a.Verdict = Fail
	for _, parts := range [][]*Result{{a, b}, {b, a}} {
		r, err := Merge(parts, nil, false, nil)
		if r != nil || ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "only one of them has a limit on") {
			t.Errorf("%v, %v; want a refusal that names the figure", r, err)
		}
	}
	b.Thresholds = a.Thresholds
	if r, err := Merge([]*Result{a, b}, nil, false, nil); r == nil {
		t.Errorf("judged alike: %v", err)
	}
}
