package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

func TestTheKneeShowsEveryTrialAndTheGoal(t *testing.T) {
	trial := func(load, actual float64, v result.Verdict) result.Trial {
		return result.Trial{Load: load, Actual: &actual, OK: v == result.Pass, Verdict: v}
	}
	r := Run{Name: "search", Result: &result.Result{Scenario: "find-max", FindMax: &result.FindMax{
		Vary: "conns", Goal: "heartbeat.rtt_ms.p99<10", Best: 800, LimitedBy: "goal",
		Trials: []result.Trial{trial(400, 2, result.Pass), trial(1600, 500, result.Fail), trial(800, 9, result.Pass),
			trial(1200, 30, result.Invalid), {Load: 100, Verdict: result.Fail}},
	}}}
	p := named(t, r, "find-max")
	if p.Y.Label != "heartbeat.rtt_ms.p99, ms" || p.Y.Max < 10 || p.Y.Max > 60 || p.X.Max < 1600 {
		t.Errorf("axes %+v, %+v; want the goal's figure, not stretched by what is far beyond it", p.X, p.Y)
	}
	if !strings.Contains(p.Note, "up to 800") || !strings.Contains(p.Note, "1 beyond the top") {
		t.Errorf("note %q", p.Note)
	}
	all := draw(t, p)
	circles := 0
	for _, e := range all {
		if e.name == "circle" {
			circles++
		}
	}
	if circles != 4 {
		t.Errorf("%d dots, want one for each trial that had a figure", circles)
	}
	r.Result.FindMax.Trials = nil
	if slices.Contains(files(r), "find-max") {
		t.Error("a search without a trial is drawn")
	}
}

func TestPhasesOfAScenarioFileAreMarked(t *testing.T) {
	r := Run{Name: "day", Result: &result.Result{Scenario: "phases", Detail: result.Detail{
		Seconds: []result.Second{{T: 1, Ready: 5}, {T: 9, Ready: 5}},
		Phases:  []result.PhaseSeen{{Name: "ramp"}, {Name: "hold", T: 1}, {Name: "silence", T: 5}, {Name: "end", T: 9}},
	}}}
	var labels []string
	for _, l := range named(t, r, "online").Layers {
		if m, ok := l.(plot.Mark); ok {
			labels = append(labels, m.Label)
		}
	}
	if !slices.Equal(labels, []string{"hold", "silence"}) {
		t.Errorf("marks %q, want the phases after the first", labels)
	}
}
