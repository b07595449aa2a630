package result

import (
	"strings"
	"testing"
)

// lateIn is a run of ramp and hold with so many timers a second that are so late.
func lateIn(t *testing.T, ramp, hold float64) *Result {
	r := rampAndHold()
	r.Generator.LateLimitMs = 20
	for i := range r.Detail.Seconds {
		s := &r.Detail.Seconds[i]
		ms := hold
		if s.T <= r.Detail.Phases[1].T {
			ms = ramp
		}
		all := make([]float64, fewestTimers)
		for k := range all {
			all[k] = ms
		}
		withTimes(t, s, "late", all...)
	}
	return r
}

func TestALatePhaseIsToldOfThoughTheRunCounts(t *testing.T) {
	r := lateIn(t, 40, 5)
	r.Generator.LateMs = &GeneratorLate{P99: 15}
	if err := r.Judge(nil, 20e6); err != nil || !r.Generator.Valid {
		t.Fatalf("%v, %+v", err, r.Generator)
	}
	all := r.LatePhases()
	if len(all) != 3 || !all[0].Late || all[1].Late || all[0].Name != "ramp" {
		t.Fatalf("phases: %+v", all)
	}
	var b strings.Builder
	if err := r.WriteSummary(&b); err != nil || !strings.Contains(b.String(), "the generator was late in ramp (p99 4") || strings.Contains(b.String(), "hold (p99") {
		t.Errorf("%v; the summary says\n%s", err, b.String())
	}
	if words := lateIn(t, 5, 5).SpoiledPhases(); words != "" {
		t.Errorf("of a punctual run: %q", words)
	}
}

func TestAnInvalidRunSaysInWhichPhaseItWasLate(t *testing.T) {
	r := lateIn(t, 40, 5)
	r.Generator.LateMs = &GeneratorLate{P99: 39}
	if err := r.Judge(nil, 20e6); err != nil || r.Generator.Valid {
		t.Fatalf("%v, %+v", err, r.Generator)
	}
	if why := *r.Generator.WhyInvalid; !strings.HasPrefix(why, "the generator was late, p99 39.0 ms (ramp 4") || !strings.Contains(why, ", hold 5.") {
		t.Errorf("why: %s", why)
	}
	if words := r.SpoiledPhases(); words != "" {
		t.Errorf("of a run that does not count at all: %q", words)
	}
}
