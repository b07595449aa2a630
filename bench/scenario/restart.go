package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
)

// restart asks the first node to end, as a deploy does, and starts it again as soon as it
// has.
type restart struct{}

// restartSlack is within which the only node ends after its grace: it has nowhere to send
// its clients to, so that there is nothing to wait for.
const restartSlack = 2 * time.Second

func (restart) promises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.onFirst()),
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
	}
	if c.Alone() {
		all = append(all, fmt.Sprintf("storm.drain_s<=%.1f", (c.nodeDuration("drain-grace", drainGrace)+restartSlack).Seconds()),
			"storm.attempts_per_success<=3")
	} else {
		all = append(all, "storm.offline==0", "storm.attempts_per_success<=1.1")
	}
	return append(all, "eviction.false==0")
}

func (restart) strike(ctx context.Context, s *Stage) error {
	victim, on, t0, err := s.terminate(ctx)
	if err != nil {
		return err
	}
	patience := max(s.RecoveryTimeout, drainEnd)
	s.Enter("drain", patience)
	s.Say("SIGTERM to node %s with %d clients", victim.Name, on)
	if err := s.awaitEnd(ctx, victim, patience); err != nil {
		return err
	}
	s.Drained = new(s.Clients.Now() - t0)
	s.noneLeft()
	s.Say("it has ended after %.1f s", s.Drained.Seconds())
	if err := s.startAgain(ctx, t0, victim); err != nil {
		return err
	}
	return s.awaitReturns(ctx, on)
}

// awaitEnd waits for a node that was asked to end.
func (s *Stage) awaitEnd(ctx context.Context, victim *nodes.Node, patience time.Duration) error {
	ended, err := s.until(ctx, patience, func() bool {
		select {
		case <-victim.Done():
			return true
		default:
			return false
		}
	})
	switch {
	case err != nil:
		return err
	case !ended:
		return errors.New("the drained node does not end" + victim.LastWords())
	case victim.Exit() != nil:
		return fmt.Errorf("the drained node ends with %w%s", victim.Exit(), victim.LastWords())
	}
	return nil
}
