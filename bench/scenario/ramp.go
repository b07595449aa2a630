package scenario

import (
	"context"
	"fmt"

	"github.com/stormwheel/stormwheel/bench/swarm"
)

// rampLatencyMs is how long it may take, of 99 in a hundred clients, from the intended
// arrival to the WELCOME: what a user takes for "at once".
const rampLatencyMs = 1000

// ramp connects all, and lets them be for a heartbeat, so that one that was welcomed and
// then dropped shows.
type ramp struct{ plain }

func (ramp) Name() string { return "ramp" }

func (ramp) About() string {
	return "connect by --profile linear, step, poisson or adaptive, and judge how long each takes to be welcomed"
}

// rampFlags are those of the scenarios that begin with a ramp of their clients' number.
const rampFlags = "profile steps "

func (ramp) Takes() string { return rampFlags + messageFlags }

func (ramp) Promises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		"connect.failed==0",
		fmt.Sprintf("connect.latency_ms.p99<=%d", rampLatencyMs),
		"conns.lost==0",
		"eviction.false==0",
		answeredPromise,
	}
	if rate := c.meanRate(); rate > 0 {
		all = append(all, fmt.Sprintf("connect.rate_per_s>=%.0f", 0.8*rate))
	}
	return all
}

// meanRate is the connects per second of the whole ramp; 0 where chance, or the load test's own lateness, has a say.
func (c *Config) meanRate() float64 {
	switch c.Profile {
	case "poisson", swarm.Adaptive:
		return 0
	case "step":
		return c.Rate * float64(c.Steps+1) / float64(2*c.Steps)
	default:
		return c.Rate
	}
}

func (ramp) Parts(*Config) []string { return []string{"ramp", "steady"} }

func (ramp) Play(ctx context.Context, s *Stage) error {
	if err := s.ramp(ctx); err != nil {
		return err
	}
	return s.steady(ctx)
}
