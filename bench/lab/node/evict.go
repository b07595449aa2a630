package node

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

const (
	evictHeartbeat = time.Second
	evictTimeout   = 5 * time.Second
	evictTick      = 250 * time.Millisecond
	evictSteady    = time.Second     // before they fall silent
	evictQuiet     = 2 * time.Second // after that, until the living ones come
)

// evict gives the figures of many clients that fall silent at once, beside living ones. The
// living are a run of their own, begun when the others are silent, so that their figures are
// those of the evictions.
func evict(ctx context.Context, r *kit.Record, living int, connect float64) error {
	p, err := peers.Start(ctx, r.Subject, "--heartbeat", evictHeartbeat.String(), "--timeout", evictTimeout.String(),
		"--tick", evictTick.String(), "--admit-rate", Admitted)
	if err != nil {
		return err
	}
	defer p.Close()
	silent, err := kit.StartClients(ctx, scenario.Config{Scenario: "silent", Targets: []string{p.Addr}, Conns: r.Size, Rate: connect,
		Fraction: 1, Duration: evictSteady, Heartbeat: evictHeartbeat, Seed: 1})
	if err != nil {
		return err
	}
	defer silent.End()
	if err := silent.Reached("silence"); err != nil {
		return err
	}
	time.Sleep(evictQuiet)
	others, err := kit.StartClients(ctx, scenario.Config{Scenario: "hold", Targets: []string{p.Addr}, Conns: living, Rate: connect,
		Duration: time.Hour, Heartbeat: evictHeartbeat, Seed: 2})
	if err != nil {
		return err
	}
	defer others.End()
	of, err := silent.Wait()
	if err != nil {
		return err
	}
	time.Sleep(settle)
	beside, err := others.End()
	if err != nil {
		return err
	}
	l := of.Eviction.LatenessMs
	if l == nil {
		return fmt.Errorf("it evicted none of %d silent clients", of.Eviction.Expected)
	}
	r.Figures = map[string]float64{
		"late_p50": l.P50, "late_p99": l.P99, "late_max": l.Max, "late_min": l.Min,
		"early":  float64(of.Eviction.Early),
		"missed": float64(of.Eviction.Expected - of.Eviction.Observed),
		"false":  float64(beside.Eviction.False),
	}
	if rtt := beside.Heartbeat.RTTms; rtt != nil {
		r.Figures["rtt_p50"], r.Figures["rtt_p99"], r.Figures["rtt_max"] = rtt.P50, rtt.P99, rtt.Max
	}
	r.Punctuality(beside)
	return nil
}
