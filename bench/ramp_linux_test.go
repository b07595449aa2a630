package bench

import (
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestRampReportsTheLatencyOfEveryClient(t *testing.T) {
	for workers, profile := range map[int]string{1: "poisson", 2: "step"} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "ramp", 1, 200)
		cfg.Profile, cfg.NoPromises = profile, true // a rate is promised, which a busy machine may not keep
		r, err := Run(t.Context(), cfg, View{})
		if err != nil {
			t.Fatalf("%s: %v", profile, err)
		}
		if p := r.Connect.LatencyMs; p == nil || p.P50 <= 0 || p.P50 > p.Max || r.Connect.Failed != 0 || r.Conns.Lost != 0 {
			t.Errorf("%s: connect %+v, latency %+v", profile, r.Connect, p)
		}
		h, err := hdrhistogram.Decode([]byte(r.Detail.Histograms["connect"]))
		if err != nil || h.TotalCount() != 200 {
			t.Errorf("%s: the histogram of latencies: %v, %d entries; want one a client", profile, err, h.TotalCount())
		}
	}
}

func TestARampFailsAServerThatTurnsClientsAway(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "shy", "ramp", 1, 40)
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Connect.Failed == 0 || r.Connect.Failures.Total() != r.Connect.Failed {
		t.Errorf("exit %d, %v, connect %+v; want failed attempts and a failed threshold", result.ExitCode(err), err, r.Connect)
	}
}
