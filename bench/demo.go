package bench

import (
	"context"
	"fmt"
	"math"
	"time"
)

// demoDefaults: an admission rate far below what a node can do makes the return of 2,250
// clients take some 5 seconds, so that it can be watched, and their spread be seen.
func demoDefaults(c *Config) {
	fill(&c.Conns, 5000)
	fill(&c.Rate, 900)
	fill(&c.Heartbeat, 2*time.Second)
	fill(&c.Timeout, 5*time.Second)
	fill(&c.Tick, 250*time.Millisecond)
	fill(&c.Fraction, 0.1)
	fill(&c.Kind, "kill")
	fill(&c.RecoveryTimeout, 30*time.Second)
	fill(&c.Duration, 3*time.Second)
	if len(c.Targets) == 0 {
		fill(&c.Spawn, 2)
	}
	if len(c.NodeArgs) == 0 {
		c.NodeArgs = []string{"admit-rate=500"}
	}
}

// demoPromises: among others that all are back within 1.1 times what the admission rate
// allows, and a second for the processes on a busy machine.
func demoPromises(c *Config) []string {
	p := plan{Config: *c}
	left := c.Conns - silentCount(c)
	share := math.Ceil(float64(left) / float64(c.Spawn))
	capacity := p.admitRate() * float64(c.Spawn-1)
	all := []string{
		fmt.Sprintf("conns.peak==%d", c.Conns),
		fmt.Sprintf("conns.end==%d", left),
		"storm.clients>0",
		fmt.Sprintf("storm.t100_s<=%.1f", 1.1*share/capacity+1),
		"storm.attempts_per_success<=1.2",
		gapPromise,
		pendingPromise,
	}
	return append(all, evictionPromises(c)...)
}

// demo is the main job in one run.
func demo(ctx context.Context, r *runner) error {
	silence := func(ctx context.Context) error { return r.silence(ctx, silentCount(&r.plan.Config)) }
	for _, step := range []func(context.Context) error{r.ramp, r.steady, silence, r.steady, r.killNode} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
