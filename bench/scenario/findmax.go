package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// FindMax is the scenario find-max, which is a search: it makes runs of others, and plays none itself.
type FindMax struct{ plain }

func (FindMax) Name() string { return "find-max" }

func (FindMax) About() string {
	return "the most clients, or with --vary rate connects per second, at which --goal holds"
}

func (FindMax) Takes() string { return "goal vary " + messageFlags }

// What find-max may vary.
const (
	VaryConns = "conns" // clients of a hold, up to Config.Conns
	VaryRate  = "rate"  // connects per second of a ramp, up to Config.Rate
)

func (FindMax) Defaults(c *Config) {
	fill(&c.Vary, VaryConns)
	fill(&c.Duration, 10*time.Second)
	if c.Vary == VaryRate {
		fill(&c.Rate, 20_000)
	}
	fill(&c.Conns, 10_000)
	fill(&c.Rate, 2000)
	if c.Spawn > 0 {
		fill(&c.Heartbeat, 5*time.Second) // several of each client's within a trial
	}
}

func (FindMax) Promises(*Config) []string { return []string{"find_max.best>0"} }

func (FindMax) Check(c *Config) error {
	switch {
	case c.Goal == "":
		return result.Usage("find-max needs a --goal, as in 'heartbeat.rtt_ms.p99<50'")
	case c.Vary != VaryConns && c.Vary != VaryRate:
		return result.Usage("--vary: %q is neither conns nor rate", c.Vary)
	case c.Vary == VaryRate && c.Rate < 1:
		return result.Usage("--rate: find-max tries whole connects per second, %g is below one", c.Rate)
	case !c.StartAt.IsZero():
		return result.Usage("--start-at is not for find-max, whose runs begin one after the other")
	}
	if _, err := result.ParseThreshold(c.Goal); err != nil {
		return result.Usage("--goal: %w", err)
	}
	return nil
}

func (FindMax) Parts(c *Config) []string {
	if c.Vary == VaryRate {
		return ramp{}.Parts(c)
	}
	return hold{}.Parts(c)
}

// Play is for whoever makes the runs (Trial).
func (FindMax) Play(context.Context, *Stage) error {
	return errors.New("find-max is a search, and no run")
}

// Trial is one run of the search. It chooses its workers itself.
func (p *Plan) Trial(asked Config, load float64, number int) Config {
	c := p.Config
	c.Scenario, c.Vary, c.Goal = "hold", "", ""
	// A load that did not all get in, or was not answered, is none that was held.
	c.Thresholds, c.NoPromises = append([]string{p.Goal, "", answeredPromise}, messagePromises(&c)...), true
	c.Workers, c.Seed = asked.Workers, p.Seed+uint64(number)
	if p.Vary == VaryRate {
		c.Scenario, c.Rate = "ramp", load
	} else {
		c.Conns = int(load)
		c.Workers = min(c.Workers, c.Conns)
	}
	c.Thresholds[1] = fmt.Sprintf("conns.end==%d", c.Conns)
	return c
}
