package bench

import (
	"context"
	"fmt"
	"time"
)

// holdDefaults: long enough for each client to ask once, and to lose its patience.
func holdDefaults(c *Config) {
	beat, patience := c.firstBeat(), c.PongTimeout
	fill(&patience, defaultPatience)
	fill(&c.Duration, max(30*time.Second, beat+patience+time.Second))
}

// firstBeat is within which a client has asked, as far as we know.
func (c *Config) firstBeat() time.Duration {
	beat := c.Heartbeat
	fill(&beat, 30*time.Second)
	return beat
}

func holdPromises(c *Config) []string {
	return []string{fmt.Sprintf("conns.end==%d", c.Conns), "conns.lost==0", "eviction.false==0", answeredPromise, "heartbeat.answered>0"}
}

// hold connects all and lets them heartbeat.
func hold(ctx context.Context, r *runner) error {
	if err := r.ramp(ctx); err != nil {
		return err
	}
	return r.passIn(ctx, "hold", r.plan.Duration)
}
