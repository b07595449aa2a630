package bench

import (
	"context"
	"fmt"
	"time"
)

// floodBaseline is the share of the clients that are in before a flood.
const floodBaseline = 0.1

// baselineRate is at how many connects a second they come.
const baselineRate = 1000

func (c *Config) floods() bool { return c.Kind == "flood" }

// baseline is how many clients are in before the flood.
func (c *Config) baseline() int { return int(c.Fraction*float64(c.Conns) + 0.5) }

// floodPromises: all get in, and nobody who was in notices (probes.lost).
func floodPromises(c *Config) []string {
	return []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.Conns-c.baseline()),
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"storm.attempts_per_success<=3",
		"eviction.false==0",
	}
}

// flood has most clients come at once, while some are in already.
func (r *runner) flood(ctx context.Context) error {
	p := r.plan
	first := arrivals{To: p.baseline(), Rate: min(baselineRate, p.Rate), Seed: p.Seed}
	patience := first.length() + rampPatience
	r.enter("ramp", patience)
	r.fleet.Arrive(first)
	over, err := r.awaitWelcomes(ctx, patience, func() bool { return r.fleet.Counts().FirstReady >= first.To })
	if err != nil {
		return err
	}
	if !over {
		r.say("%d of %d clients were welcomed, going on with them", r.fleet.Counts().FirstReady, first.To)
	}
	if err := r.steady(ctx); err != nil {
		return err
	}
	lift := r.slowDown(r.nodes...)
	defer lift()
	rest := arrivals{From: first.To, To: p.Conns, Rate: p.Rate, Seed: p.Seed}
	r.sampleServers(ctx)
	r.fleet.BeginFlood(rest.To - rest.From)
	r.fleet.Arrive(rest)
	r.enter("recovery", rest.length()+p.RecoveryTimeout)
	r.say("%d clients come within %v to where %d are%s", rest.To-rest.From, rest.length().Round(10*time.Millisecond), first.To, p.slow.words())
	return r.awaitReturns(ctx, rest.To-rest.From, lift)
}
