package scenario

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// demo is the main job in one run.
type demo struct{ plain }

// demoLate is how late the generator may be, and what its lateness may add to that of an eviction. It is the first
// thing that somebody runs, on a machine that does other things. What is timed has room for it: all are back with 1 s
// to spare, the longest gap is 2 s, a heartbeat of 2 s may be 3 s late before its client is evicted for it, and
// then the run says that it is the generator's fault. Who measures ticks runs silent, which allows 50 ms.
const demoLate = 250 * time.Millisecond

func (demo) Name() string { return "demo" }

func (demo) About() string {
	return "two nodes, 5,000 clients: silent ones are evicted, then a node is killed"
}

func (demo) Takes() string { return "fraction kind probes" }

// Defaults: an admission rate far below what a node can do makes the return of 2,250
// clients take some 5 seconds, so that it can be watched, and their spread be seen.
func (demo) Defaults(c *Config) {
	fill(&c.Conns, 5000)
	fill(&c.Rate, 900)
	fill(&c.Heartbeat, 2*time.Second)
	fill(&c.Timeout, 5*time.Second)
	fill(&c.Tick, 250*time.Millisecond)
	fill(&c.Fraction, 0.1)
	fill(&c.Kind, "kill")
	fill(&c.RecoveryTimeout, 30*time.Second)
	fill(&c.Duration, 3*time.Second)
	fill(&c.LateLimit, demoLate)
	if len(c.Targets) == 0 {
		fill(&c.Spawn, 2)
	}
	if len(c.NodeArgs) == 0 {
		c.NodeArgs = []string{"admit-rate=500"}
	}
}

func (demo) Check(c *Config) error {
	if c.Kind != "kill" {
		return result.Usage("--kind %s is not for demo", c.Kind)
	}
	return nil
}

// Promises: among others that all are back within 1.1 times what the admission rate
// allows, and a second for the processes on a busy machine.
func (demo) Promises(c *Config) []string {
	left := c.Conns - c.misbehaving()
	share := math.Ceil(float64(left) / float64(c.Spawn))
	capacity := c.admitRate() * float64(c.Spawn-1)
	all := []string{
		fmt.Sprintf("conns.peak==%d", c.Conns),
		fmt.Sprintf("conns.end==%d", left),
		"storm.clients>0",
		fmt.Sprintf("storm.t100_s<=%.1f", 1.1*share/capacity+1),
		"storm.attempts_per_success<=1.2",
		gapPromise,
		pendingPromise,
	}
	return append(all, evictionPromises(c, demoLate)...)
}

func (demo) Parts(c *Config) []string {
	return append([]string{"ramp", "steady", "silence"}, partsOf(c.Kind)...)
}

func (demo) Play(ctx context.Context, s *Stage) error {
	silence := func(ctx context.Context) error { return s.silence(ctx, s.misbehaving()) }
	for _, step := range []func(context.Context) error{s.ramp, s.steady, silence, s.steady, s.strike} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
