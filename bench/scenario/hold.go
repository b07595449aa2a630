package scenario

import (
	"context"
	"fmt"
	"time"
)

// hold connects all and lets them heartbeat.
type hold struct{ plain }

func (hold) Name() string { return "hold" }

func (hold) About() string { return "connect, and heartbeat for --duration" }

func (hold) Takes() string { return rampFlags + messageFlags }

// Defaults: long enough for each client to ask once, and to lose its patience.
func (hold) Defaults(c *Config) {
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

func (hold) Promises(c *Config) []string {
	return []string{fmt.Sprintf("conns.end==%d", c.Conns), "conns.lost==0", "eviction.false==0", answeredPromise, "heartbeat.answered>0"}
}

func (hold) Parts(*Config) []string { return []string{"ramp", "hold"} }

func (hold) Play(ctx context.Context, s *Stage) error {
	if err := s.ramp(ctx); err != nil {
		return err
	}
	return s.passIn(ctx, "hold", s.Duration)
}
