package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
)

// swarm is a hold of package bench, all in this process, as in one of its workers. A
// verdict is no error here: what we measure may well be what makes a run invalid.
func swarm(args []string) error {
	fs := flag.NewFlagSet("swarm", flag.ContinueOnError)
	var cfg bench.Config
	target := fs.String("target", "", "HOST:PORT")
	fs.StringVar(&cfg.Protocol, "protocol", "stormwheel", "or tcp-echo")
	fs.IntVar(&cfg.Conns, "conns", 1000, "clients")
	fs.Float64Var(&cfg.Rate, "rate", 1000, "connects a second")
	fs.DurationVar(&cfg.Duration, "hold", time.Millisecond, "how long, after the ramp")
	settled := fs.Duration("settled", 0, "read the memory so long after the ramp; 0: not at all")
	if err := fs.Parse(args); err != nil {
		return err
	}
	cfg.Scenario, cfg.Targets, cfg.Seed, cfg.Workers = "hold", []string{*target}, 1, 1
	if *settled > 0 {
		cfg.Duration = time.Minute // it is cut short
	}
	ctx, enough := context.WithCancel(context.Background())
	defer enough()

	var o outcome
	var pings []float64
	watch := func(u bench.Update) {
		if u.Status == nil || u.Phase.Name != "hold" {
			return
		}
		held := u.At - u.Phase.Since
		if *settled > 0 && held >= *settled && o.RSS == 0 {
			o.readMemory()
			enough()
		}
		if held >= time.Second { // the ramp had no part in this second
			pings = append(pings, float64(u.Status.Pings))
			if late := u.Status.LateSecond; late != nil {
				o.LateSeconds = append(o.LateSeconds, late.P99)
			}
		}
	}
	res, err := bench.Run(ctx, cfg, bench.View{Watch: watch})
	switch result.ExitCode(err) {
	case result.ExitPass, result.ExitInvalid, result.ExitThreshold, result.ExitInterrupted:
	default:
		return err
	}
	if *settled > 0 && res.Heartbeat.Answered < cfg.Conns {
		return fmt.Errorf("%d PONGs came to %d clients, each should have one", res.Heartbeat.Answered, cfg.Conns)
	}
	o.Ready, o.Refused = res.Conns.End, res.Connect.Failed
	o.PingsPerS = median(pings)
	if late := res.Generator.LateMs; late != nil {
		o.LateP99, o.LateMax = late.P99, late.Max
	}
	if res.Connect.RatePerS != nil {
		o.ConnectsPerS = *res.Connect.RatePerS
	}
	return say(o)
}
