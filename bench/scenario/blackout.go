package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
)

// blackout kills all nodes at once and starts them again after the outage.
type blackout struct{}

// defaultOutage is long enough for a backoff that doubles to grow.
const defaultOutage = 15 * time.Second

// promises count from the nodes' return. How often clients knock at nobody's door
// before is not judged.
func (blackout) promises(c *Config) []string {
	return []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.onFirst()),
		fmt.Sprintf("storm.t100_s<=%g", (c.Outage + c.RecoveryTimeout).Seconds()),
		"eviction.false==0",
	}
}

func (blackout) strike(ctx context.Context, s *Stage) error {
	s.Servers.Sample(ctx)
	on := s.Clients.Ready()
	s.Clients.BeginStorm(s.Servers.Addrs()...)
	t0, _ := s.Clients.StormAt()
	s.Note(result.EventKill, "", fmt.Sprintf("all nodes (%d) are killed, with %d clients", len(s.Servers.Nodes), on))
	s.noneLeft()
	for _, n := range s.Servers.Nodes {
		if err := s.Servers.Kill(n); err != nil {
			return fmt.Errorf("kill node %s: %w", n.Name, err)
		}
	}
	s.Enter("outage", s.Outage)
	s.Say("kill -9 of all nodes (%d) with %d clients, for %v", len(s.Servers.Nodes), on, s.Outage)
	if err := s.pass(ctx, s.Outage); err != nil {
		return err
	}
	if err := s.startAgain(ctx, t0, slices.Clone(s.Servers.Nodes)...); err != nil {
		return err
	}
	return s.awaitReturns(ctx, on)
}

// startAgain starts nodes that have ended, and notes when the first of them can accept.
func (s *Stage) startAgain(ctx context.Context, t0 time.Duration, ended ...*nodes.Node) error {
	since := func() time.Duration { return s.Clients.Now() - t0 }
	if err := s.Servers.Restart(ctx, since, ended...); err != nil {
		return err
	}
	s.runAgain(ended)
	s.Say("nodes that run again, on the same addresses, after %.1f s: %d", since().Seconds(), len(ended))
	return nil
}

// noneLeft notes that no node can accept, if none can; runAgain ends it.
func (s *Stage) noneLeft() {
	if s.Alone() {
		s.noNode = s.Note(result.EventOutage, "", "no node runs")
	}
}

// runAgain notes that nodes do.
func (s *Stage) runAgain(all []*nodes.Node) {
	if s.noNode != nil {
		s.noNode()
		s.noNode = nil
	}
	if len(all) == 1 {
		s.Note(result.EventBack, all[0].Name, fmt.Sprintf("node %s runs again", all[0].Name))
	} else {
		s.Note(result.EventBack, "", fmt.Sprintf("the nodes (%d) run again", len(all)))
	}
}
