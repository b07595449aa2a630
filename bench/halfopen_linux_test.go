package bench

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// misbehaving is a run against nodes that wait three seconds for whatever is to come.
func misbehaving(t *testing.T, workers int, kind, scenario string) Config {
	cfg := inWorkers(t, workers, kind, scenario, 2, 60)
	cfg.Timeout, cfg.Deadline, cfg.Fraction = 3*time.Second, 3*time.Second, 0.25
	return cfg
}

func TestHalfOpenClientsAreClosedAndTheOthersGoOn(t *testing.T) {
	for _, workers := range []int{1, 2} {
		benchtest.LeavesNothing(t)
		r, err := Run(t.Context(), untimed(t, misbehaving(t, workers, "good", "halfopen")), View{})
		if err != nil {
			t.Fatalf("%d workers: %v; %+v", workers, err, r.Eviction)
		}
		e := r.Eviction
		if e.Expected != 15 || e.Observed != 15 || e.Overlooked != 0 || r.Conns.End != 45 || r.Conns.Peak != 45 || r.Conns.Lost != 0 || r.Connect.Established != 45 {
			t.Errorf("%d workers: eviction %+v, conns %+v; want 15 of 60 closed", workers, e, r.Conns)
		}
		if e.LatenessMs == nil || e.LatenessMs.Min < 0 {
			t.Errorf("%d workers: lateness %+v", workers, e.LatenessMs)
		}
	}
}

func TestHalfOpenFailsAServerThatClosesBeforeItsDeadline(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := misbehaving(t, 1, "good", "halfopen")
	cfg.Deadline = 6 * time.Second // it waits three
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Eviction.Early != 15 {
		t.Errorf("exit %d, %v, eviction %+v; want 15 early", result.ExitCode(err), err, r.Eviction)
	}
}

func TestTheSlowTricklersAreClosedAndTheFastLive(t *testing.T) {
	for _, tt := range []struct {
		workers  int
		frame    string
		interval time.Duration
		closed   int
	}{
		{1, "hello", 200 * time.Millisecond, 15}, // some 30 bytes
		{2, "hello", 200 * time.Millisecond, 15},
		{1, "hello", 10 * time.Millisecond, 0},
		{2, "ping", 400 * time.Millisecond, 15},
		{1, "ping", 10 * time.Millisecond, 0},
	} {
		benchtest.LeavesNothing(t)
		cfg := misbehaving(t, tt.workers, "good", "trickle")
		cfg.Trickle, cfg.TrickleInterval = tt.frame, tt.interval
		cfg.Duration = time.Second
		r, err := Run(t.Context(), untimed(t, cfg), View{})
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		if e := r.Eviction; e.Expected != tt.closed || e.Observed != tt.closed || r.Conns.End != 60-tt.closed || r.Conns.Lost != 0 {
			t.Errorf("%+v: eviction %+v, conns %+v", tt, e, r.Conns)
		}
		if tt.closed == 0 && tt.frame == "hello" && r.Connect.LatencyMs.Max <= 250 {
			t.Errorf("%+v: connect latency %+v; want that HELLOs take their time", tt, r.Connect.LatencyMs)
		}
	}
}
