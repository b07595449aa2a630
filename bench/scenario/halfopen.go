package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
)

// helloDeadline is how long our server waits for a complete HELLO.
const helloDeadline = 5 * time.Second

// halfOpen connects all, of which a share say nothing, not even HELLO, and waits until the
// server has closed each of those. The others go on.
type halfOpen struct{}

func (halfOpen) Name() string { return "halfopen" }

func (halfOpen) About() string {
	return "--fraction of the clients connect and say nothing, not even HELLO"
}

func (halfOpen) Takes() string { return "fraction deadline" }

func (halfOpen) Defaults(c *Config) {
	fill(&c.Fraction, 0.5)
	fill(&c.Deadline, helloDeadline)
}

func (halfOpen) Check(c *Config) error { return c.checkMisbehaving() }

func (halfOpen) Roles(c *Config, s *swarm.Config) {
	s.HalfOpen, s.Deadline = c.misbehaving(), c.Deadline
}

// Promises: each that says nothing is closed, none before its deadline but to make
// room for others, and the living do not notice.
func (halfOpen) Promises(c *Config) []string {
	all := append(livingPromises(c, c.Conns-c.misbehaving()),
		fmt.Sprintf("eviction.expected==%d", c.misbehaving()),
		"eviction.overlooked==0",
		"eviction.early==0")
	if c.Spawn > 0 {
		all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", promisedLatenessMs(c, tickLate)), "conns.ghosts==0")
	}
	return all
}

// livingPromises are those of runs in which other clients misbehave.
func livingPromises(c *Config, living int) []string {
	return []string{
		fmt.Sprintf("conns.end==%d", living),
		"connect.failed==0",
		"conns.lost==0",
		answeredPromise,
		"eviction.false==0",
	}
}

func (halfOpen) Parts(*Config) []string { return []string{"ramp", "eviction", "steady"} }

func (halfOpen) Play(ctx context.Context, s *Stage) error {
	if err := s.ramp(ctx); err != nil {
		return err
	}
	return s.awaitClosed(ctx, s.misbehaving(), s.Deadline)
}

// awaitClosed waits until n clients that the scenario has misbehave were closed, and then
// for a heartbeat, in which the living show that they are.
func (s *Stage) awaitClosed(ctx context.Context, n int, deadline time.Duration) error {
	s.Enter("eviction", deadline+evictionPatience)
	all, err := s.until(ctx, deadline+evictionPatience, func() bool {
		c := s.Clients.Counts()
		return c.Observed+c.OtherMutes >= n
	})
	if err != nil {
		return err
	}
	if all {
		s.Say("the server has closed all %d", n)
	} else {
		s.Say("not all of them were closed: the wait is over")
	}
	if err := s.awaitNoGhosts(ctx, ghostPatience); err != nil {
		return err
	}
	return s.steady(ctx)
}
