package report

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// histogram holds n values from the smallest to the greatest, in microseconds.
func histogram(t testing.TB, n int, smallest, greatest float64) string {
	t.Helper()
	key := fmt.Sprint(n, smallest, greatest)
	if text, ok := histograms.Load(key); ok {
		return text.(string)
	}
	h := hdrhistogram.New(1, time.Hour.Microseconds(), 3)
	for i := range n {
		v := smallest + (greatest-smallest)*float64(i)/float64(max(n-1, 1))
		if err := h.RecordValue(int64(v)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	histograms.Store(key, string(text))
	return string(text)
}

// histograms keeps what histogram made: it takes long under the race detector.
var histograms sync.Map

// hold is a run of two nodes and a thousand clients, half a minute long.
func hold(t testing.TB) Run {
	node := "n1"
	r := &result.Result{Schema: result.Schema, Scenario: "hold", Seed: 1, WallS: 31, Verdict: result.Pass,
		Build: result.Build{Version: "v1", Go: "go1.26", Kernel: "6.1", CPUs: 2, Processor: "a processor", MemoryBytes: new(int64(16 << 30))},
		Terms: &result.Terms{HeartbeatMs: 2000, TimeoutMs: 5000, TickMs: 250},
		Conns: result.Conns{Target: 1000, Peak: 1000, End: 1000},
		Server: []result.Server{{Addr: "127.0.0.1:7000", Node: &node, RSSBytes: new(int64(17e6)), CPUS: new(1.5)},
			{Addr: "127.0.0.1:7001", RSSBytes: new(int64(18e6)), CPUS: new(1.4)}},
		Heartbeat:  result.Heartbeat{Sent: 9000, Answered: 9000, RTTms: &result.Percentiles{P50: 1, P90: 2, P99: 3, P999: 4, Max: 5}},
		Generator:  result.Generator{Workers: 1, Valid: true, LateMs: &result.GeneratorLate{P50: .1, P99: 1, Max: 2}},
		Thresholds: []result.ThresholdSeen{{Expr: "conns.end==1000", Actual: new(1000.0), OK: true}, {Expr: "storm.t99_s<30"}},
		Detail: result.Detail{Command: []string{"stormwheel", "bench", "hold", "--threshold", "conns.end==1000"},
			Histograms: map[string]string{"rtt_intended": histogram(t, 9000, 300, 5000), "rtt": histogram(t, 9000, 100, 4000), "rtt_actual": histogram(t, 9000, 100, 4000),
				"late": histogram(t, 9000, 1, 2000), "lateness": histogram(t, 0, 0, 0), "connect": histogram(t, 1000, 400, 80_000), "connect_intended": histogram(t, 1000, 500, 90_000)}}}
	for i := range 30 {
		s := result.Second{T: float64(i + 1), Ready: min(500*(i+1), 1000), Pings: 300, Pongs: 300}
		if i < 2 {
			s.Attempts, s.Established = 500, 500
		}
		for n := range 2 {
			s.Servers = append(s.Servers, result.ServerSecond{RSSBytes: new(int64(15e6 + i*1e5 + n)), CPUS: new(.05 * float64(i)), Conns: new(500)})
		}
		r.Detail.Seconds = append(r.Detail.Seconds, s)
	}
	return Run{Name: "hold", Result: r}
}

func silent(t testing.TB) Run {
	r := hold(t)
	r.Name, r.Result.Scenario = "silent", "silent"
	r.Result.Eviction = result.Eviction{Expected: 100, Observed: 100, LatenessMs: &result.Lateness{P50: 250, P99: 499, Max: 500}}
	r.Result.Detail.Histograms["lateness"] = histogram(t, 100, 0, 500_000)
	return r
}

// stormed has t0 at 10 s, and its clients come back evenly over five.
func stormed(t testing.TB, kind, policy string) Run {
	r := hold(t)
	r.Name, r.Result.Scenario = policy, "storm"
	r.Result.Storm = &result.Storm{Kind: kind, Policy: policy, Clients: 500, Back: 500, Offline: 500, IdealS: new(4.5),
		T50S: new(2.5), T95S: new(4.75), T99S: new(4.95), T100S: new(5.0), AttemptsPerSuccess: new(1.2), PeakAttemptsPerS: 300, LostConnectionSeconds: 1250}
	d := &r.Result.Detail
	d.StormAtS = new(10.0)
	for range 50 {
		d.AttemptsPer100ms = append(d.AttemptsPer100ms, 12)
	}
	d.Histograms["return"], d.Histograms["offline"] = histogram(t, 500, 10_000, 5e6), histogram(t, 500, 10_000, 5e6)
	for i := range d.Seconds {
		if s := &d.Seconds[i]; s.T > 10 {
			s.Ready, s.Servers[0] = min(500+100*int(s.T-10), 1000), result.ServerSecond{}
			s.Attempts, s.Established = 120, 100
		}
	}
	r.Result.Server[0].Killed = true
	if kind == "drain" {
		r.Result.Storm.Offline, r.Result.Storm.PacePerS = 0, new(500.0)
		d.Histograms["offline"] = histogram(t, 0, 0, 0)
	}
	return r
}

func demo(t testing.TB) Run {
	r := stormed(t, "kill", "window")
	r.Name, r.Result.Scenario = "demo", "demo"
	r.Result.Eviction, r.Result.Detail.Histograms["lateness"] = silent(t).Result.Eviction, histogram(t, 100, 0, 500_000)
	return r
}

// every is each kind of run, and what makes the drawing of one hard.
func every(t testing.TB) map[string]Run {
	runs := map[string]Run{"hold": hold(t), "silent": silent(t), "kill": stormed(t, "kill", "window"), "drain": stormed(t, "drain", "window"), "demo": demo(t)}
	change := func(name string, with func(*result.Result)) {
		r := demo(t)
		with(r.Result)
		runs[name] = r
	}
	runs["empty"] = Run{Result: &result.Result{}}
	change("no rows", func(r *result.Result) { r.Detail.Seconds = nil })
	change("one row", func(r *result.Result) { r.Detail.Seconds = r.Detail.Seconds[:1] })
	change("no detail", func(r *result.Result) { r.Detail = result.Detail{} })
	change("nobody returned", func(r *result.Result) {
		r.Storm = &result.Storm{Kind: "kill", Clients: 500}
		r.Detail.Histograms["return"], r.Detail.Histograms["offline"] = histogram(t, 0, 0, 0), "?"
	})
	change("all null", func(r *result.Result) {
		r.Terms, r.Heartbeat.RTTms, r.Eviction.LatenessMs, r.Generator = nil, nil, nil, result.Generator{}
		r.Server = []result.Server{{Addr: "a:1"}}
		for i := range r.Detail.Seconds {
			r.Detail.Seconds[i].Servers = nil
		}
	})
	change("loaded", func(r *result.Result) { carry(t, r) })
	change("nothing carried", func(r *result.Result) { r.Messages = &result.Messages{} })
	change("histograms of nothing", func(r *result.Result) { carry(t, r); r.Messages = nil })
	change("merged", func(r *result.Result) {
		r.Parts = []result.Part{{Seed: 1, Clients: 10, Verdict: result.Pass}, {Seed: 2, Clients: 20, Verdict: result.Fail}}
		r.Churn, r.Conns.Ghosts, r.Conns.Lost = &result.Churn{LifetimeS: 5, Departures: 3}, new(7), 9
		r.Memory = result.Memory{ServerBytesPerConn: new(900.0), GeneratorBytesPerConn: new(400.0), KernelBytesPerConn: new(5000.0)}
	})
	change("cohorts", func(r *result.Result) {
		r.Cohorts = []result.Cohort{{Policy: "window", Clients: 250, Back: 250, T50S: new(2.5)}, {Policy: "fixed", Clients: 250}}
		r.Probes = &result.Probes{Clients: 20, RTTms: result.ProbeRTT{Before: &result.Percentiles{P50: 1}}}
		h := r.Detail.Histograms
		h["return_0"], h["return_1"] = histogram(t, 250, 10_000, 5e6), histogram(t, 200, 10_000, 4e6)
		h["probes_before"], h["probes_during"] = histogram(t, 100, 300, 1000), histogram(t, 90, 300, 9000)
	})
	change("enormous", func(r *result.Result) {
		for i := range r.Detail.Seconds {
			r.Detail.Seconds[i].T, r.Detail.Seconds[i].Ready = math.Pow(10, float64(10*i)), -1<<62
		}
		r.Storm.T99S, r.Storm.IdealS, r.Detail.StormAtS, r.Terms.TickMs = new(1e300), new(-1e300), new(-1e308), 1e308
		r.Detail.AttemptsPer100ms = []uint32{math.MaxUint32}
	})
	change("hostile", func(r *result.Result) {
		const evil = `"'><script src=http://x/>&]]>` + "\x00\x0b\ufffe" + `</style></svg><img src=x onerror=alert(1)>`
		r.Scenario, r.Storm.Kind, r.Storm.Policy, r.Server[0].Addr, r.Server[1].Addr = evil, evil, evil, evil, evil
		r.Server[0].Node, r.Generator.WhyInvalid, r.Verdict = new(evil), new(evil), evil
		r.Build = result.Build{Version: evil, Go: evil, Kernel: evil, Processor: evil}
		r.Thresholds[0].Expr, r.Detail.Command = evil, []string{evil, strings.Repeat(evil, 50)}
	})
	return runs
}
