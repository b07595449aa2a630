package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
)

// flood has most clients come at once, while some are in already.
type flood struct{}

// floodBaseline is the share of the clients that are in before a flood.
const floodBaseline = 0.1

// baselineRate is at how many connects a second they come.
const baselineRate = 1000

// baseline is how many clients are in before the flood.
func (c *Config) baseline() int { return int(c.Fraction*float64(c.Conns) + 0.5) }

// promises: all get in, and nobody who was in notices (probes.lost).
func (flood) promises(c *Config) []string {
	return []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.Conns-c.baseline()),
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"storm.attempts_per_success<=3",
		"eviction.false==0",
	}
}

func (flood) strike(ctx context.Context, s *Stage) error {
	p := s.Plan
	first := swarm.Arrivals{To: p.baseline(), Rate: min(baselineRate, p.Rate), Seed: p.Seed}
	patience := first.Length() + rampPatience
	s.Enter("ramp", patience)
	s.Clients.Arrive(first)
	over, err := s.awaitWelcomes(ctx, patience, func() bool { return s.Clients.Counts().FirstReady >= first.To })
	if err != nil {
		return err
	}
	if !over {
		s.Say("%d of %d clients were welcomed, going on with them", s.Clients.Counts().FirstReady, first.To)
	}
	if err := s.steady(ctx); err != nil {
		return err
	}
	lift := s.slowDown(s.Servers.Nodes...)
	defer lift()
	rest := swarm.Arrivals{From: first.To, To: p.Conns, Rate: p.Rate, Seed: p.Seed}
	s.Servers.Sample(ctx)
	s.Clients.BeginFlood(rest.To - rest.From)
	s.Note(result.EventFlood, "", fmt.Sprintf("%d clients come within %v to where %d are", rest.To-rest.From, rest.Length().Round(10*time.Millisecond), first.To))
	s.Clients.Arrive(rest)
	s.Enter("recovery", rest.Length()+p.RecoveryTimeout)
	s.Say("%d clients come within %v to where %d are%s", rest.To-rest.From, rest.Length().Round(10*time.Millisecond), first.To, p.slow.Words())
	return s.awaitReturns(ctx, rest.To-rest.From, lift)
}
