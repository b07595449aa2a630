package generator

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// swarm is a hold of package bench, all in this process, as in one of its workers.
func swarm(o dial) (map[string]float64, error) {
	cfg := scenario.Config{Scenario: "hold", Targets: []string{o.target}, Protocol: o.protocol, Conns: o.conns, Rate: o.rate,
		Duration: max(o.hold, time.Millisecond), Seed: 1, Workers: 1}
	if o.settled > 0 {
		cfg.Duration = time.Minute // it is cut short
	}
	ctx, enough := context.WithCancel(context.Background())
	defer enough()

	f := map[string]float64{}
	var pings, late []float64 // of the seconds of the hold
	watch := func(u bench.Update) {
		if u.Status == nil || u.Phase.Name != "hold" {
			return
		}
		held := u.At - u.Phase.Since
		if o.settled > 0 && held >= o.settled && f["rss"] == 0 {
			readMemory(f)
			enough()
		}
		if held >= time.Second { // the ramp had no part in this second
			pings = append(pings, float64(u.Status.Pings))
			if s := u.Status.LateSecond; s != nil {
				late = append(late, s.P99)
			}
		}
	}
	res, err := kit.Tolerate(bench.Run(ctx, cfg, bench.View{Watch: watch}))
	if err != nil {
		return nil, err
	}
	if o.settled > 0 && res.Heartbeat.Answered < o.conns {
		return nil, fmt.Errorf("%d PONGs came to %d clients, each should have one", res.Heartbeat.Answered, o.conns)
	}
	f["ready"], f["refused"] = float64(res.Conns.End), float64(res.Connect.Failed)
	if len(pings) > 0 {
		f["pings_s"] = kit.SampleOf(pings).Median
	}
	if len(late) > 0 {
		f["late_second"], f["late_worst"] = kit.SampleOf(late).Median, kit.SampleOf(late).High
	}
	if run := res.Generator.LateMs; run != nil {
		f["late_p99"], f["late_max"] = run.P99, run.Max
	}
	if res.Connect.RatePerS != nil {
		f["connects_s"] = *res.Connect.RatePerS
	}
	return f, nil
}
