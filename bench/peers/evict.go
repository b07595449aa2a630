package main

import (
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench"
)

// eviction is many clients that fall silent at once, beside living ones.
type eviction struct {
	silent, living int
	connect        float64
}

const (
	evictHeartbeat = time.Second
	evictTimeout   = 5 * time.Second
	evictTick      = 250 * time.Millisecond
	evictSteady    = time.Second     // before they fall silent
	evictQuiet     = 2 * time.Second // after that, until the living ones come
)

// evict gives the figures of one eviction. The living are a run of their own, begun when
// the others are silent, so that their figures are those of the evictions.
func evict(kind string, e eviction) (figures, error) {
	p, err := startPeer(kind, "--heartbeat", evictHeartbeat.String(), "--timeout", evictTimeout.String(),
		"--tick", evictTick.String(), "--admit-rate", admitted)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	silent := startSwarm(bench.Config{Scenario: "silent", Targets: []string{p.addr}, Conns: e.silent, Rate: e.connect,
		Fraction: 1, Duration: evictSteady, Heartbeat: evictHeartbeat, Seed: 1})
	defer silent.end()
	if err := silent.reached("silence"); err != nil {
		return nil, err
	}
	time.Sleep(evictQuiet)
	living := startSwarm(bench.Config{Scenario: "hold", Targets: []string{p.addr}, Conns: e.living, Rate: e.connect,
		Duration: time.Hour, Heartbeat: evictHeartbeat, Seed: 2})
	defer living.end()
	of, err := silent.wait()
	if err != nil {
		return nil, err
	}
	time.Sleep(settle)
	beside, err := living.end()
	if err != nil {
		return nil, err
	}
	l := of.Eviction.LatenessMs
	if l == nil {
		return nil, fmt.Errorf("it evicted none of %d silent clients", of.Eviction.Expected)
	}
	f := figures{
		"late_p50": l.P50, "late_p99": l.P99, "late_max": l.Max, "late_min": l.Min,
		"early":  float64(of.Eviction.Early),
		"missed": float64(of.Eviction.Expected - of.Eviction.Observed),
		"false":  float64(beside.Eviction.False),
	}
	if rtt := beside.Heartbeat.RTTms; rtt != nil {
		f["rtt_p50"], f["rtt_p99"], f["rtt_max"] = rtt.P50, rtt.P99, rtt.Max
	}
	f.generator(beside)
	return f, nil
}
