package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// FindMaximum is a search: it makes runs of others, and plays none itself.
type FindMaximum struct{ plain }

func (FindMaximum) Name() string { return "find-max" }
func (FindMaximum) About() string {
	return "the most clients, or with --vary rate connects per second, at which --goal holds"
}
func (FindMaximum) Takes() string { return "goal vary" }

// What find-max may vary.
const (
	varyConns = "conns" // clients of a hold, up to Config.Conns
	varyRate  = "rate"  // connects per second of a ramp, up to Config.Rate
)

func (FindMaximum) Defaults(c *Config) {
	fill(&c.Vary, varyConns)
	fill(&c.Duration, 10*time.Second)
	if c.Vary == varyRate {
		fill(&c.Rate, 20_000)
	}
	fill(&c.Conns, 10_000)
	fill(&c.Rate, 2000)
	if c.Spawn > 0 {
		fill(&c.Heartbeat, 5*time.Second) // several of each client's within a trial
	}
}

func (FindMaximum) Promises(*Config) []string { return []string{"find_max.best>0"} }

func (FindMaximum) Check(c *Config) error {
	switch {
	case c.Goal == "":
		return usagef("find-max needs a --goal, as in 'heartbeat.rtt_ms.p99<50'")
	case c.Vary != varyConns && c.Vary != varyRate:
		return usagef("--vary: %q is neither conns nor rate", c.Vary)
	case c.Vary == varyRate && c.Rate < 1:
		return usagef("--rate: find-max tries whole connects per second, %g is below one", c.Rate)
	case !c.StartAt.IsZero():
		return usagef("--start-at is not for find-max, whose runs begin one after the other")
	}
	if _, err := ParseThreshold(c.Goal); err != nil {
		return usagef("--goal: %w", err)
	}
	return nil
}

// Play is for whoever makes the runs (Trial).
func (FindMaximum) Play(context.Context, *Stage) error {
	return errors.New("find-max is a search, and no run")
}

// trial is one run of the search. It chooses its workers itself.
func (p *plan) trial(asked Config, load float64, number int) Config {
	c := p.Config
	c.Scenario, c.Vary, c.Goal = "hold", "", ""
	// A load that did not all get in, or was not answered, is none that was held.
	c.Thresholds, c.NoPromises = []string{p.Goal, "", answeredPromise}, true
	c.Workers, c.Seed = asked.Workers, p.Seed+uint64(number)
	if p.Vary == varyRate {
		c.Scenario, c.Rate = "ramp", load
	} else {
		c.Conns = int(load)
		c.Workers = min(c.Workers, c.Conns)
	}
	c.Thresholds[1] = fmt.Sprintf("conns.end==%d", c.Conns)
	return c
}
