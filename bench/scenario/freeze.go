package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// freeze stops the first node's process for a while. Its connections stay open, and nobody
// answers: clients have to notice by themselves. When it goes on, it finds that they have left.
type freeze struct{}

// freezeSlack is what the default freeze lasts beyond the time within which every client
// has noticed.
const freezeSlack = 5 * time.Second

// noticeTime is within which a client notices that its node stands still: it asks after
// a heartbeat at most, and then waits for its patience.
func (c *Config) noticeTime() time.Duration { return c.Heartbeat + c.PongTimeout }

func (freeze) promises(c *Config) []string {
	all := []string{fmt.Sprintf("conns.end==%d", c.Conns)}
	switch {
	case c.Freeze < c.PongTimeout:
		all = append(all, "storm.clients==0") // nobody's patience is over before the node goes on
	case c.Freeze > c.noticeTime():
		all = append(all, fmt.Sprintf("storm.clients==%d", c.onFirst()),
			fmt.Sprintf("storm.t100_s<=%g", (c.noticeTime()+c.RecoveryTimeout).Seconds()),
			"storm.attempts_per_success<=1.2")
	}
	return append(all, "eviction.false==0", "conns.ghosts==0", fmt.Sprintf("storm.ghosts_gone_s<=%g", ghostPatience.Seconds()))
}

func (freeze) strike(ctx context.Context, s *Stage) error {
	victim := s.Servers.Nodes[0]
	on := s.Clients.On(victim.Addr)
	s.Servers.Sample(ctx)
	s.Clients.BeginStorm() // a node that wakes must not evict those that spoke meanwhile
	if err := victim.Freeze(); err != nil {
		return fmt.Errorf("freeze node %s: %w", victim.Name, err)
	}
	defer victim.Thaw()
	over := s.Note(result.EventFreeze, victim.Name, fmt.Sprintf("node %s stands still (SIGSTOP), with %d clients", victim.Name, on))
	defer over()
	s.Enter("frozen", s.Freeze)
	s.Say("SIGSTOP to node %s with %d clients, for %v", victim.Name, on, s.Freeze)
	if err := s.pass(ctx, s.Freeze); err != nil {
		return err
	}
	hit := s.Clients.Counts().StormClients
	if err := victim.Thaw(); err != nil {
		return fmt.Errorf("thaw node %s: %w", victim.Name, err)
	}
	over()
	s.Enter("recovery", s.RecoveryTimeout)
	s.Say("SIGCONT; %d of its clients have given it up", hit)
	return s.awaitRecovery(ctx, hit, s.Clients.Now(), 2*ghostPatience)
}
