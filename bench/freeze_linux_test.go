package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// frozen is a run with clients of little patience.
func frozen(t *testing.T, workers int, freeze time.Duration) Config {
	cfg := inWorkers(t, workers, "good", "storm", 2, 100)
	cfg.Kind, cfg.PongTimeout, cfg.Freeze = "freeze", 1500*time.Millisecond, freeze
	cfg.Timeout = 4 * time.Second // a busy machine must not look like a silent client
	return cfg
}

func TestClientsOfAFrozenNodeNoticeAndGoElsewhere(t *testing.T) {
	for workers, freeze := range map[int]time.Duration{1: 0, 2: 2500 * time.Millisecond} {
		benchtest.LeavesNothing(t)
		r, err := Run(t.Context(), untimed(t, frozen(t, workers, freeze)), View{})
		if err != nil {
			t.Fatal(err)
		}
		s := r.Storm
		if s.Clients != 50 || s.Back != 50 || r.Conns.Losses.PongTimeout < 50 || r.Conns.End != 100 || r.Eviction.False != 0 {
			t.Errorf("storm %+v, conns %+v, eviction %+v; want 50 that noticed", s, r.Conns, r.Eviction)
		}
		if s.GhostsGoneS == nil || r.Conns.Ghosts == nil || *r.Conns.Ghosts != 0 || r.Server[0].Killed {
			t.Errorf("ghosts gone %s, conns %+v, server %+v; want a node that lives and holds none", result.Number(s.GhostsGoneS), r.Conns, r.Server[0])
		}
		// They cannot come back before they have noticed: not from t0 counts what is ideal.
		if s.IdealFromS == nil || *s.IdealFromS < 1.2 || s.IdealS == nil || *s.IdealS < *s.IdealFromS || *s.OutageS != 0 {
			t.Errorf("ideal %s from %s, outage %s; want it from when the first had noticed", result.Number(s.IdealS), result.Number(s.IdealFromS), result.Number(s.OutageS))
		}
		if freeze == 0 && r.WallS < 6.7 { // 0.2 s of heartbeat, 1.5 of patience, 5
			t.Errorf("the run took %.1f s, less than the freeze", r.WallS)
		}
	}
}

func TestAFreezeWithinTheClientsPatienceHitsNobody(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := frozen(t, 1, 200*time.Millisecond)
	cfg.PongTimeout, cfg.Freeze = 5*time.Second, time.Second
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	if err != nil || r.Storm.Clients != 0 || r.Conns.Lost != 0 {
		t.Errorf("%v, storm %+v, conns %+v; want that nobody is lost", err, r.Storm, r.Conns)
	}
	if late := r.Generator.LateMs; late.P99 > result.Millis(cfg.Freeze)/2 {
		t.Errorf("the generator was late by %+v ms; to wait for the node is not to be late", late)
	}
	// Open loop: those who asked while it stood still say how long it did.
	if rtt := r.Heartbeat.RTTms; rtt.Max < result.Millis(cfg.Freeze)/2 {
		t.Errorf("the longest round trip is %.0f ms; a stall of %v does not show", rtt.Max, cfg.Freeze)
	}
}

// Without a node that stands in, nobody can come back.
func TestAFreezeFailsWhenClientsStayAway(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := frozen(t, 1, time.Second)
	cfg.Freeze, cfg.RecoveryTimeout = 2500*time.Millisecond, time.Second
	t.Setenv(benchtest.AsServe, "full") // every node takes its first fifty, and no other
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Storm.T100S != nil || !strings.Contains(err.Error(), "conns.end") {
		t.Errorf("exit %d, %v, storm %+v", result.ExitCode(err), err, r.Storm)
	}
}
