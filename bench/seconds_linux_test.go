package bench

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// What the seconds have adds up to what the run has: nothing of the last, shorter one is missing.
func TestTheSecondsHaveAllThatWasCounted(t *testing.T) {
	for _, workers := range []int{1, 2} {
		benchtest.LeavesNothing(t)
		r, err := Run(t.Context(), untimed(t, frozen(t, workers, 0)), View{})
		if err != nil {
			t.Fatal(err)
		}
		var sum result.Second
		most, longest, late := 0, 0.0, false
		for _, s := range r.Detail.Seconds {
			sum.Span += s.Span
			sum.Lost += s.Lost
			sum.Attempts += s.Attempts
			sum.Established += s.Established
			sum.Failed += s.Failed
			sum.Pongs += s.Pongs
			most, late = max(most, s.Unanswered), late || s.LateP99 != nil
			if s.RTTMax != nil {
				longest = max(longest, *s.RTTMax)
			}
		}
		last := r.Detail.Seconds[len(r.Detail.Seconds)-1]
		if sum.Lost != r.Conns.Lost || sum.Attempts != r.Connect.Attempts || sum.Established != r.Connect.Established || sum.Failed != r.Connect.Failed || sum.Pongs != r.Heartbeat.Answered {
			t.Errorf("%d workers: the seconds have %+v together; the run has conns %+v, connect %+v, heartbeat %+v", workers, sum, r.Conns, r.Connect, r.Heartbeat)
		}
		if math.Abs(sum.Span-last.T) > 1e-6 || last.Span >= 1 || math.Abs(last.T-r.WallS) > .5 {
			t.Errorf("%d workers: the seconds last %g s and end at %g, the last one lasts %g; the run took %g", workers, sum.Span, last.T, last.Span, r.WallS)
		}
		// Fifty clients ask a node that stands still, and give it up after 1.5 s.
		if most < 40 || most > 50 || longest < 1000 || !late {
			t.Errorf("%d workers: at most %d wait for long, for %.0f ms; lateness known: %v", workers, most, longest, late)
		}
	}
}

func TestWhatHappensIsKeptWithItsTime(t *testing.T) {
	benchtest.LeavesNothing(t)
	r, err := Run(t.Context(), untimed(t, frozen(t, 1, 0)), View{})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Detail.Events
	if len(e) != 1 || e[0].Kind != result.EventFreeze || e[0].Target != "n1" || e[0].Until == nil || *e[0].Until-e[0].T < 5 || *r.Detail.StormAtS < e[0].T-.5 || *r.Detail.StormAtS > *e[0].Until {
		t.Errorf("events %+v, t0 %v; want that n1 stood still", e, *r.Detail.StormAtS)
	}
	cfg := spawned(t, "good", "storm", 1, 50)
	cfg.Kind, cfg.Outage = "blackout", 700*time.Millisecond
	if r, err = Run(t.Context(), untimed(t, cfg), View{}); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range r.Detail.Events {
		told = append(told, fmt.Sprintf("%s %s", e.Kind, e.Target))
	}
	if want := []string{"kill ", "outage ", "back n1"}; fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("events %q, want %q", told, want)
	}
	if out := r.Detail.Events[1]; out.Until == nil || *out.Until-out.T < .7 {
		t.Errorf("the outage is %+v, want one of 0.7 s at least", out)
	}
}
