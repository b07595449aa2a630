package bench

import (
	"context"
	"fmt"
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
	victim := s.servers.nodes[0]
	on := s.clients.On(victim.addr)
	s.servers.sample(ctx)
	lift := slowDown(s.slow, s.servers.nodes[1:]...)
	defer lift()
	s.clients.BeginStorm(victim.addr)
	if err := s.servers.kill(victim); err != nil {
		return fmt.Errorf("kill node %s: %w", victim.name, err)
	}
	s.say("kill -9 of node %s (pid %d) with %d clients%s", victim.name, victim.PID, on, s.slow.words())
	return s.awaitReturns(ctx, on, lift)
}
