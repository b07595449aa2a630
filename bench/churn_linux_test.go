package bench

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestChurnKeepsTheCount(t *testing.T) {
	for _, workers := range []int{1, 2} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "churn", 2, 100)
		cfg.Lifetime, cfg.Duration = 500*time.Millisecond, 1500*time.Millisecond
		r, err := Run(t.Context(), untimed(t, cfg), View{})
		if err != nil {
			t.Fatalf("%d workers: %v; %+v", workers, err, r)
		}
		c := r.Churn
		// 100 clients of half a second each, for 1.5 s and the ramp: 300 or so leave, fewer where the machine is busy.
		if c.Departures < 100 || c.Returns != c.Departures || c.Missing != 0 || r.Conns.End != 100 || r.Conns.Peak > 100 {
			t.Errorf("%d workers: churn %+v, conns %+v", workers, c, r.Conns)
		}
		if r.Connect.Attempts != 100+c.Departures || r.Connect.Established != r.Connect.Attempts || r.Conns.Ghosts == nil || *r.Conns.Ghosts != 0 {
			t.Errorf("%d workers: connect %+v, %d departures, conns %+v; want an attempt an arrival, and no ghost", workers, r.Connect, c.Departures, r.Conns)
		}
	}
}

// A node that keeps the connections of those who left would run full.
func TestChurnFailsANodeThatKeepsThoseWhoLeft(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "hoarder", "churn", 1, 20)
	cfg.Lifetime, cfg.Duration = 300*time.Millisecond, 500*time.Millisecond
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Conns.Ghosts == nil || *r.Conns.Ghosts < r.Churn.Departures {
		t.Errorf("exit %d, %v, conns %+v, churn %+v; want every departure kept as a ghost", result.ExitCode(err), err, r.Conns, r.Churn)
	}
}
