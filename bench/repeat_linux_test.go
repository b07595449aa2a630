package bench

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

func TestRepeatedRunsHaveTheirSpread(t *testing.T) {
	benchtest.LeavesNothing(t)
	f := benchtest.Start(t, &benchtest.Node{Terms: patient})
	cfg := asking(f, "hold")
	cfg.Repeat, cfg.Seed = 3, 7
	var each []*result.Result
	r, err := Run(t.Context(), cfg, View{Each: func(n int, r *result.Result) {
		if each = append(each, r); len(each) != n {
			t.Errorf("run %d is told as %d", len(each), n)
		}
	}})
	if err != nil || len(each) != 3 || r.Verdict != result.Pass || len(r.Repeats) != 3 {
		t.Fatalf("%v, %d runs, %+v", err, len(each), r.Repeats)
	}
	for i, one := range r.Repeats {
		if one.Seed != uint64(7+i) || one.Seed != each[i].Seed || one.Verdict != result.Pass || one.WallS != each[i].WallS || each[i].Repeats != nil {
			t.Errorf("run %d: %+v", i+1, one)
		}
	}
	spread := map[string]result.Spread{}
	for _, s := range r.Spread {
		spread[s.Path] = s
		if s.Min > s.Median || s.Median > s.Max || s.Runs < 1 || s.Runs > 3 {
			t.Errorf("%+v", s)
		}
	}
	if s := spread["conns.end"]; s.Min != 20 || s.Max != 20 || s.Runs != 3 {
		t.Errorf("conns.end %+v", s)
	}
	p99 := []float64{each[0].Heartbeat.RTTms.P99, each[1].Heartbeat.RTTms.P99, each[2].Heartbeat.RTTms.P99}
	if s := spread["heartbeat.rtt_ms.p99"]; s.Min != slices.Min(p99) || s.Max != slices.Max(p99) {
		t.Errorf("heartbeat.rtt_ms.p99 %+v of %v", s, p99)
	}
	var text bytes.Buffer
	if err := r.WriteSummary(&text); err != nil || !strings.Contains(text.String(), "spread heartbeat.rtt_ms.p99") || !strings.Contains(text.String(), "seed 9") {
		t.Errorf("%v\n%s", err, text.String())
	}
	if err := validate(t, r); err != nil {
		t.Error(err)
	}
	if err := result.Alike([]*result.Result{r, r}); err == nil || !strings.Contains(err.Error(), "repeated") {
		t.Errorf("a merge: %v", err)
	}
}

// One bad run of several fails them all, and is the one that is shown.
func TestOneBadRunFailsAllThatAreRepeated(t *testing.T) {
	f := &benchtest.Node{Terms: patient}
	benchtest.Start(t, f)
	cfg := asking(f, "hold")
	cfg.Repeat, cfg.Seed = 3, 7
	r, err := Run(t.Context(), cfg, View{Each: func(n int, _ *result.Result) { f.Dumb.Store(n == 1) }})
	if result.ExitCode(err) != result.ExitThreshold || r.Seed != 8 || r.Verdict != result.Fail || len(r.Repeats) != 3 || r.Repeats[1].Why == nil || r.Repeats[0].Why != nil || r.Repeats[2].Why != nil {
		t.Errorf("exit %d, %v, %+v", result.ExitCode(err), err, r.Repeats)
	}
}

func TestAnInterruptedRepetitionHasTheRunsSoFar(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: patient})
	cfg := asking(f, "hold")
	cfg.Repeat = 5
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := Run(ctx, cfg, View{Each: func(n int, _ *result.Result) {
		if n == 2 {
			cancel()
		}
	}})
	if r == nil || result.ExitCode(err) != result.ExitInterrupted || r.Verdict != result.Invalid || !r.Interrupted || len(r.Repeats) != 2 {
		t.Errorf("exit %d, %v, %+v", result.ExitCode(err), err, r)
	}
}

// What the target admits is found before the storm, and its ideal follows from it.
func TestTheCapacityOfATargetIsFound(t *testing.T) {
	if os.Getenv("STORMWHEEL_SLOW") == "" {
		t.Skip("a search takes two minutes, whatever it finds: STORMWHEEL_SLOW=1 has it run")
	}
	benchtest.LeavesNothing(t)
	var before atomic.Int64
	f := &benchtest.Node{Terms: patient}
	benchtest.Start(t, f)
	cfg := outside(f.Addr())
	cfg.Kind, cfg.Capacity, cfg.Conns, cfg.Rate, cfg.Fraction = "cut", scenario.SearchCapacity, 40, 400, 0.5
	var shown bytes.Buffer
	r, err := Run(t.Context(), cfg, View{Progress: &shown})
	before.Store(f.Accepted.Load())
	if err != nil {
		t.Fatalf("%v\n%s", err, shown.String())
	}
	if c := r.Storm.CapacityPerS; c == nil || *c < 1 || *c > 20 || r.Storm.IdealS == nil || r.Conns.Target != 40 || r.FindMax != nil {
		t.Errorf("capacity %v, ideal %v; want at most 40 clients in 2 s", c, r.Storm.IdealS)
	}
	if !strings.Contains(shown.String(), "they admit") || before.Load() < 80 {
		t.Errorf("%d connections:\n%s", before.Load(), shown.String())
	}
}

func TestTheCapacityOfNobodyIsAnError(t *testing.T) {
	benchtest.LeavesNothing(t)
	full := benchtest.Start(t, &benchtest.Node{Terms: patient})
	full.Stop()
	cfg := outside(full.Addr())
	cfg.Kind, cfg.Capacity, cfg.Conns, cfg.Rate, cfg.Fraction = "cut", scenario.SearchCapacity, 40, 400, 0.5
	if r, err := Run(t.Context(), cfg, View{}); r != nil || result.ExitCode(err) != result.ExitOther || !strings.Contains(err.Error(), "no server at") {
		t.Errorf("nobody there: %v, %v", r, err)
	}
}
