package bench

import (
	"context"
	"fmt"
	"time"
)

func holdDefaults(c *Config) { fill(&c.Duration, 30*time.Second) }

func holdPromises(c *Config) []string {
	return []string{fmt.Sprintf("conns.end==%d", c.Conns), "eviction.false==0", "heartbeat.missed==0"}
}

// hold connects all and lets them heartbeat.
func hold(ctx context.Context, r *runner) error {
	if err := r.ramp(ctx); err != nil {
		return err
	}
	return r.passIn(ctx, "hold", r.plan.Duration)
}
