package bench

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

func TestFindMaxFindsWhatANodeHolds(t *testing.T) {
	benchtest.LeavesNothing(t)
	var shown bytes.Buffer
	cfg := spawned(t, "good", "find-max", 1, 160)
	cfg.Goal = "conns.end<=60"
	r, err := Run(t.Context(), cfg, View{Progress: &shown})
	if err != nil {
		t.Fatal(err)
	}
	f := r.FindMax
	if r.Verdict != result.Pass || !r.Promises || r.Scenario != "find-max" || f.Best < 58 || f.Best > 60 || f.Missed == nil || *f.Missed < 61 || *f.Missed > 64 || f.LimitedBy != "goal" {
		t.Errorf("verdict %s, found %+v; want about 60 conns", r.Verdict, f)
	}
	// The figures are those of the best trial, and each trial had nodes and seeds of its own.
	if r.Conns.Target != int(f.Best) || r.Conns.End != int(f.Best) || len(r.Thresholds) != 1 || r.Thresholds[0].Expr != "find_max.best>0" {
		t.Errorf("conns %+v, thresholds %+v; want those of the best trial and of the search", r.Conns, r.Thresholds)
	}
	for _, trial := range f.Trials {
		if trial.Actual == nil || *trial.Actual != trial.Load || trial.OK != (trial.Load <= 60) {
			t.Errorf("trial %+v: want its clients at the end, held up to 60", trial)
		}
	}
	if n := strings.Count(shown.String(), "* trial "); n != len(f.Trials) {
		t.Errorf("%d trials were told, %d made", n, len(f.Trials))
	}
}

func TestFindMaxVariesTheRate(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "find-max", 1, 20)
	cfg.Vary, cfg.Rate, cfg.Goal = "rate", 400, "conns.end==20"
	r, err := Run(t.Context(), cfg, View{})
	if err != nil || r.FindMax.Best != 400 || r.FindMax.LimitedBy != "most" || r.FindMax.Missed != nil || len(r.FindMax.Trials) != 5 {
		t.Errorf("%v, %+v; want 400 a second, the most, after 25, 50, 100, 200", err, r.FindMax)
	}
}

func TestFindMaxDoesNotBlameTheServerForTheGenerator(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "find-max", 1, 1)
	cfg.Goal, cfg.LateLimit = "conns.end==1", time.Nanosecond
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitInvalid || r.FindMax.Best != 0 || r.FindMax.LimitedBy != "generator" || r.Verdict != result.Invalid {
		t.Errorf("exit %d, %v, %+v; want an invalid search", result.ExitCode(err), err, r.FindMax)
	}
}

func TestFindMaxFailsWhereNothingHolds(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "find-max", 1, 8)
	cfg.Goal = "storm.clients>0" // a hold has no storm
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.FindMax.Best != 0 || r.FindMax.LimitedBy != "goal" || len(r.FindMax.Trials) != 2 || r.Conns.Target != 1 {
		t.Errorf("exit %d, %v, %+v; want two trials with one client, failed", result.ExitCode(err), err, r.FindMax)
	}
}

// A goal of round trips holds for the few who got in; the load was not held.
func TestALoadThatDidNotAllGetInIsNotHeld(t *testing.T) {
	p := scenario.Plan{Config: Config{Scenario: "find-max", Goal: "heartbeat.rtt_ms.p99<1000", Spawn: 1, Conns: 64}}
	if c := p.Trial(p.Config, 32, 0); !c.NoPromises || !slices.Equal(c.Thresholds, []string{p.Goal, "conns.end==32", "heartbeat.unanswered==0"}) {
		t.Errorf("thresholds of a trial with 32: %q", c.Thresholds)
	}
}

func TestFindMaxWithoutAWholeRateIsRefused(t *testing.T) {
	cfg := Config{Scenario: "find-max", Vary: "rate", Rate: 0.5, Goal: "conns.end==1", Spawn: 1, Conns: 1}
	if r, err := Run(t.Context(), cfg, View{}); r != nil || result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), "--rate") {
		t.Errorf("%v, %v; want a usage error", r, err)
	}
}

// A search that is interrupted tells what it found so far, or what its first trial saw.
func TestAnInterruptedSearchTellsHowFarItGot(t *testing.T) {
	for trials := range 2 {
		benchtest.LeavesNothing(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cfg := spawned(t, "good", "find-max", 1, 64)
		cfg.Goal, cfg.Duration = "heartbeat.missed==0", time.Second
		var shown bytes.Buffer
		progress := writerFunc(func(p []byte) (int, error) {
			shown.Write(p)
			if strings.Count(shown.String(), "all ") == trials+1 { // of the trial after those
				cancel()
			}
			return len(p), nil
		})
		r, err := Run(ctx, cfg, View{Progress: progress})
		if result.ExitCode(err) != result.ExitInterrupted || r == nil || !r.Interrupted {
			t.Fatalf("after %d trials: exit %d, %v, %+v; want the result so far", trials, result.ExitCode(err), err, r)
		}
		f := r.FindMax
		if f == nil || f.LimitedBy != "interrupted" || len(f.Trials) != trials || (f.Best > 0) != (trials > 0) || r.Conns.Target != 4 {
			t.Errorf("after %d trials: %+v, of %d clients", trials, f, r.Conns.Target)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
