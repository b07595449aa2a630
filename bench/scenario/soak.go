package scenario

import (
	"context"
	"time"
)

// soak is churn for a long time.
type soak struct{ plain }

func (soak) Name() string { return "soak" }

func (soak) About() string { return "churn for --duration, which may be days: nothing may grow" }

func (soak) Takes() string { return "lifetime " + rampFlags + messageFlags }

func (soak) Defaults(c *Config) {
	fill(&c.Duration, 10*time.Minute)
	fill(&c.Lifetime, time.Minute)
}

// Promises are those of churn, and that nothing grows while the load stays the same.
func (soak) Promises(c *Config) []string {
	all := churn{}.Promises(c)
	if c.Spawn > 0 || len(c.PIDs) > 0 {
		all = append(all, "soak.rss_growth<=0.1", "soak.fds_growth<=0.02")
	}
	return all
}

func (soak) Parts(*Config) []string { return []string{"ramp", "soak", "settle"} }

func (soak) Play(ctx context.Context, s *Stage) error {
	s.Soaks = true
	if err := s.ramp(ctx); err != nil {
		return err
	}
	s.SoakFrom = s.Clients.Now()
	if err := s.passIn(ctx, "soak", s.Duration); err != nil {
		return err
	}
	s.SoakTo = s.Clients.Now()
	if err := s.settle(ctx, s.Conns); err != nil {
		return err
	}
	return s.awaitNoGhosts(ctx, ghostPatience)
}
