package bench

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
)

func TestProbesAreNotStruckAndMeasuredApart(t *testing.T) {
	for workers, kind := range map[int]string{1: "kill", 2: "cut"} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "storm", 2, 100)
		cfg.Kind, cfg.Probes, cfg.Timeout = kind, 0.1, 2*time.Second
		r, err := Run(t.Context(), untimed(t, cfg), View{})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		p := r.Probes
		if p == nil || p.Clients != 10 || p.Lost != 0 || p.RTTms.Before == nil || p.RTTms.During == nil || r.Storm.Clients != 50 {
			t.Errorf("%s: probes %+v, storm %+v; want 10 unharmed, and 50 struck", kind, p, r.Storm)
		}
	}
}

func TestProbesDoNotFallSilent(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := inWorkers(t, 2, "good", "silent", 1, 40)
	cfg.Fraction, cfg.Probes = 1, 0.25
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Eviction.Expected != 30 || r.Conns.End != 10 || r.Probes.Clients != 10 || r.Probes.Lost != 0 {
		t.Errorf("eviction %+v, conns %+v, probes %+v; want all but the ten probes silent", r.Eviction, r.Conns, r.Probes)
	}
}

func TestCohortsAreReportedApart(t *testing.T) {
	for _, workers := range []int{1, 2} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "storm", 2, 200)
		cfg.Kind, cfg.Cohorts = "kill", "window:50%,fixed:50%"
		cfg.Timeout = 3 * time.Second
		cfg.Thresholds = []string{"conns.end==200", "cohorts.0.back==50", "cohorts.1.back==50"}
		r, err := Run(t.Context(), untimed(t, cfg), View{})
		if err != nil {
			t.Fatal(err)
		}
		w, f := r.Cohorts[0], r.Cohorts[1]
		if len(r.Cohorts) != 2 || w.Policy != "window" || f.Policy != "fixed" || w.Clients != 50 || f.Clients != 50 || w.T100S == nil || f.T100S == nil || r.Storm.Clients != 100 {
			t.Fatalf("cohorts %+v, storm %+v", r.Cohorts, r.Storm)
		}
		// The policy fixed waits half a second before its first try.
		if *f.T50S < 0.5 {
			t.Errorf("fixed %+v, window %+v; want that the fixed ones come after 0.5 s", f, w)
		}
	}
}
