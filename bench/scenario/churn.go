package scenario

import (
	"context"
	"fmt"
	"time"
)

// churn connects all; then sessions end by BYE after lifetimes drawn from the seed, and a
// new client arrives for each that left.
type churn struct{ plain }

func (churn) Name() string { return "churn" }

func (churn) About() string {
	return "sessions end by BYE after --lifetime on average, and others come for them"
}

func (churn) Takes() string { return "lifetime " + rampFlags + messageFlags }

func (churn) Defaults(c *Config) {
	fill(&c.Duration, 30*time.Second)
	fill(&c.Lifetime, 10*time.Second)
}

// Promises: whoever comes is let in at once, nobody but ourselves ends a session, and
// the nodes keep nothing of those who left.
func (churn) Promises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		"churn.departures>0",
		"churn.missing==0",
		"connect.failed==0",
		fmt.Sprintf("connect.latency_ms.p99<=%d", rampLatencyMs),
		"conns.lost==0",
		"eviction.false==0",
		answeredPromise,
	}
	if c.Spawn > 0 {
		all = append(all, "conns.ghosts==0")
	}
	return all
}

func (churn) Parts(*Config) []string { return []string{"ramp", "churn", "settle"} }

func (churn) Play(ctx context.Context, s *Stage) error {
	if err := s.ramp(ctx); err != nil {
		return err
	}
	if err := s.passIn(ctx, "churn", s.Duration); err != nil {
		return err
	}
	if err := s.settle(ctx, s.Conns); err != nil {
		return err
	}
	return s.awaitNoGhosts(ctx, ghostPatience)
}

// settle ends the departures, and waits until those who are on their way are in, and so
// many are ready.
func (s *Stage) settle(ctx context.Context, ready int) error {
	s.Clients.Settle()
	s.Enter("settle", rampPatience)
	all, err := s.until(ctx, rampPatience, func() bool {
		n := s.Clients.Counts()
		return n.Returns >= n.Departures && s.Clients.Ready() >= ready
	})
	if err != nil {
		return err
	}
	n := s.Clients.Counts()
	s.Say("%d sessions ended, %d clients came for them", n.Departures, n.Returns)
	if !all {
		s.Say("not all of them are in: the wait is over")
	}
	return nil
}
