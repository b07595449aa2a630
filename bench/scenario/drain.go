package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
)

// drain asks the first node to end and waits until its clients have moved, and it has
// ended by itself.
type drain struct{}

// drainGrace is that of the spawned nodes in a drain, unless a --node-arg says another:
// nobody balances here, so nobody has to notice.
const drainGrace = time.Second

// DrainPace is how many clients a second the draining node tells to go: its failover rate,
// or more if its window would not be long enough.
func (c *Config) DrainPace() float64 {
	if !c.drains() {
		return 0
	}
	pace := c.nodeRate("failover-rate", c.Capacity)
	window := c.nodeDuration("drain-window", time.Minute)
	return max(pace, float64(c.onFirst())/window.Seconds())
}

// promises: nobody is offline for a moment, the receivers get the clients at the pace,
// and one attempt each is enough.
func (drain) promises(c *Config) []string {
	seconds := float64(c.onFirst()) / c.DrainPace()
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.onFirst()),
		"storm.offline==0",
		"storm.lost_connection_seconds==0",
		fmt.Sprintf("storm.t100_s<=%.1f", c.nodeDuration("drain-grace", drainGrace).Seconds()+1.1*seconds+1),
		"storm.attempts_per_success<=1.1",
		"eviction.false==0",
	}
	if seconds >= result.Burst.Seconds() {
		all = append(all, "storm.accept_over_pace>=0.9", "storm.accept_over_pace<=1.1")
	}
	return all
}

func (drain) strike(ctx context.Context, s *Stage) error {
	victim, on, t0, err := s.terminate(ctx)
	if err != nil {
		return err
	}
	s.Say("SIGTERM to node %s with %d clients, at up to %.0f a second", victim.Name, on, s.DrainPace())
	s.Enter("drain", s.RecoveryTimeout)
	all, err := s.until(ctx, s.RecoveryTimeout, func() bool {
		n := s.Clients.Counts()
		return n.StormClients >= on && n.StormBack >= n.StormClients
	})
	if err != nil {
		return err
	}
	if !all {
		s.Say("not all of them have moved: the wait is over")
		return nil
	}
	s.Say("all of them have moved")
	if err := s.awaitEnd(ctx, victim, drainEnd); err != nil {
		return err
	}
	s.Drained = new(s.Clients.Now() - t0)
	return s.passIn(ctx, "aftermath", s.heartbeatOr(0)) // a second wave would show here
}

// terminate asks the first node, which has so many clients, to end, at t0.
func (s *Stage) terminate(ctx context.Context) (victim *nodes.Node, on int, t0 time.Duration, err error) {
	victim = s.Servers.Nodes[0]
	on = s.Clients.On(victim.Addr)
	s.Servers.Sample(ctx)
	s.Clients.BeginStorm(victim.Addr)
	t0, _ = s.Clients.StormAt()
	return victim, on, t0, s.askToEnd(victim, on)
}

// askToEnd is SIGTERM to a node with so many clients.
func (s *Stage) askToEnd(n *nodes.Node, on int) error {
	over := s.Note(result.EventDrain, n.Name, fmt.Sprintf("node %s is asked to end (SIGTERM), with %d clients", n.Name, on))
	go func() {
		<-n.Done()
		over()
	}()
	if err := s.Servers.Terminate(n); err != nil {
		return fmt.Errorf("ask node %s to end: %w", n.Name, err)
	}
	return nil
}

// drainEnd is more than a node waits for clients that were told to go and do not.
const drainEnd = 30 * time.Second
