package scenario

import (
	"context"
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
)

// kill is kill -9 of the first node.
type kill struct{}

func (kill) promises(c *Config) []string {
	return []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		"storm.clients>0",
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"storm.attempts_per_success<=1.2",
		"eviction.false==0",
	}
}

func (kill) strike(ctx context.Context, s *Stage) error {
	victim := s.Servers.Nodes[0]
	on := s.Clients.On(victim.Addr)
	s.Servers.Sample(ctx)
	lift := s.slowDown(s.Servers.Nodes[1:]...)
	defer lift()
	s.Clients.BeginStorm(victim.Addr)
	s.Note(result.EventKill, victim.Name, fmt.Sprintf("node %s is killed, with %d clients", victim.Name, on))
	if err := s.Servers.Kill(victim); err != nil {
		return fmt.Errorf("kill node %s: %w", victim.Name, err)
	}
	s.Say("kill -9 of node %s (pid %d) with %d clients%s", victim.Name, victim.PID, on, s.slow.Words())
	return s.awaitReturns(ctx, on, lift)
}
