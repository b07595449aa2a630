package bench

import (
	"context"
	"fmt"
	"time"
)

// drain asks the first node to end and waits until its clients have moved, and it has
// ended by itself.
type drain struct{}

// drainGrace is that of the spawned nodes in a drain, unless a --node-arg says another:
// nobody balances here, so nobody has to notice.
const drainGrace = time.Second

// drainPace is how many clients a second the draining node tells to go: its failover rate,
// or more if its window would not be long enough.
func (c *Config) drainPace() float64 {
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
	seconds := float64(c.onFirst()) / c.drainPace()
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.onFirst()),
		"storm.offline==0",
		"storm.lost_connection_seconds==0",
		fmt.Sprintf("storm.t100_s<=%.1f", c.nodeDuration("drain-grace", drainGrace).Seconds()+1.1*seconds+1),
		"storm.attempts_per_success<=1.1",
		"eviction.false==0",
	}
	if seconds >= burst.Seconds() {
		all = append(all, "storm.accept_over_pace>=0.9", "storm.accept_over_pace<=1.1")
	}
	return all
}

// burst is how long a drain lasts at most that is over before its rate can be told from
// chance.
const burst = 2 * time.Second

func (drain) strike(ctx context.Context, s *Stage) error {
	victim, on, t0, err := s.terminate(ctx)
	if err != nil {
		return err
	}
	s.say("SIGTERM to node %s with %d clients, at up to %.0f a second", victim.name, on, s.drainPace())
	s.enter("drain", s.RecoveryTimeout)
	all, err := s.until(ctx, s.RecoveryTimeout, func() bool {
		n := s.clients.Counts()
		return n.StormClients >= on && n.StormBack >= n.StormClients
	})
	if err != nil {
		return err
	}
	if !all {
		s.say("not all of them have moved: the wait is over")
		return nil
	}
	s.say("all of them have moved")
	if err := s.awaitEnd(ctx, victim, drainEnd); err != nil {
		return err
	}
	s.drained = new(s.clients.Now() - t0)
	return s.passIn(ctx, "aftermath", s.heartbeatOr(0)) // a second wave would show here
}

// terminate asks the first node, which has so many clients, to end, at t0.
func (s *Stage) terminate(ctx context.Context) (victim *node, on int, t0 time.Duration, err error) {
	victim = s.servers.nodes[0]
	on = s.clients.On(victim.addr)
	s.servers.sample(ctx)
	s.clients.BeginStorm(victim.addr)
	t0, _ = s.clients.StormAt()
	if err = s.servers.terminate(victim); err != nil {
		return victim, on, t0, fmt.Errorf("ask node %s to end: %w", victim.name, err)
	}
	return victim, on, t0, nil
}

// drainEnd is more than a node waits for clients that were told to go and do not.
const drainEnd = 30 * time.Second
