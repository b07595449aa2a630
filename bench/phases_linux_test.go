package bench

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

func TestPhasesRunOneAfterTheOther(t *testing.T) {
	for workers := 1; workers <= 2; workers++ {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "phases", 2, 0)
		cfg.Timeout, cfg.Lifetime, cfg.Probes = 4*time.Second, 300*time.Millisecond, -1 // a busy machine is not silent
		cfg.Phases = []scenario.Phase{
			{Do: "ramp", Clients: 60},
			{Do: "hold", For: 1200 * time.Millisecond},
			{Do: "ramp", Clients: 40, Rate: 100, Profile: "poisson"},
			{Do: "churn", For: 600 * time.Millisecond},
			{Do: "silence", Fraction: 0.2},
			{Do: "storm", Kind: "kill"},
		}
		r, err := Run(t.Context(), untimed(t, cfg), View{})
		if err != nil {
			t.Fatalf("%d workers: %v", workers, err)
		}
		if r.Conns.End != 80 || r.Conns.Peak < 90 || r.Eviction.Expected != 20 || r.Eviction.Observed != 20 || r.Churn.Departures == 0 || r.Churn.Missing != 0 || r.Connect.RatePerS != nil {
			t.Errorf("%d workers: conns %+v, eviction %+v, churn %+v", workers, r.Conns, r.Eviction, r.Churn)
		}
		if s := r.Storm; s == nil || s.Kind != "kill" || s.Clients < 30 || s.Back != s.Clients {
			t.Errorf("%d workers: storm %+v; want the half that speaks hit, and back", workers, s)
		}
		var names []string
		for i, ph := range r.Detail.Phases {
			names = append(names, ph.Name)
			if i > 0 && ph.T < r.Detail.Phases[i-1].T {
				t.Errorf("%d workers: phase %+v begins before the one before", workers, ph)
			}
		}
		if want := []string{"ramp", "hold", "ramp", "churn", "settle", "silence", "recovery", "aftermath", "answers", "end"}; !slices.Equal(names, want) {
			t.Errorf("%d workers: phases %q, want %q", workers, names, want)
		}
		// The second ramp has not begun while the first clients are held.
		hold, ramp := r.Detail.Phases[1].T, r.Detail.Phases[2].T
		for _, s := range r.Detail.Seconds {
			if s.T > hold && s.T < ramp && s.Ready != 60 {
				t.Errorf("%d workers: %d ready at %.1f s, within the hold from %.1f to %.1f s; want 60", workers, s.Ready, s.T, hold, ramp)
			}
		}
	}
}

// A cut is of those who are there, not of all that later phases bring.
func TestACutBetweenRampsTakesItsShareOfThoseWhoAreThere(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "phases", 1, 0)
	cfg.Timeout, cfg.Probes, cfg.Kind = 4*time.Second, -1, "cut" // as a flag says
	cfg.Phases = []scenario.Phase{{Do: "ramp", Clients: 50}, {Do: "storm", Kind: "kill", Fraction: 0.2}, {Do: "ramp", Clients: 150}}
	var shown bytes.Buffer
	r, err := Run(t.Context(), untimed(t, cfg), View{Progress: &shown})
	if !strings.Contains(shown.String(), "phase 2 of 3: storm, cut") {
		t.Errorf("the progress does not say which storm it is:\n%s", shown.String())
	}
	if err != nil || r.Storm.Clients != 10 || r.Storm.Back != 10 || r.Conns.End != 200 {
		t.Errorf("%v: storm %+v, conns %+v; want a fifth of 50 cut", err, r.Storm, r.Conns)
	}
}
