package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// restartSlack is within which the only node ends after its grace: it has nowhere to send
// its clients to, so that there is nothing to wait for.
const restartSlack = 2 * time.Second

func restartPromises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.onVictim()),
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
	}
	if c.alone() {
		all = append(all, fmt.Sprintf("storm.drain_s<=%.1f", (c.nodeDuration("drain-grace", drainGrace)+restartSlack).Seconds()),
			"storm.attempts_per_success<=3")
	} else {
		all = append(all, "storm.offline==0", "storm.attempts_per_success<=1.1")
	}
	return append(all, "eviction.false==0")
}

// restartNode asks the first node to end, as a deploy does, and starts it again as soon as
// it has.
func (r *runner) restartNode(ctx context.Context) error {
	victim, on, t0, err := r.terminate(ctx)
	if err != nil {
		return err
	}
	patience := max(r.plan.RecoveryTimeout, drainEnd)
	r.enter("drain", patience)
	r.say("SIGTERM to node %s with %d clients", victim.name, on)
	if err := r.awaitEnd(ctx, victim, patience); err != nil {
		return err
	}
	r.drained = new(r.fleet.Now() - t0)
	r.say("it has ended after %.1f s", r.drained.Seconds())
	if err := r.startAgain(ctx, t0, victim); err != nil {
		return err
	}
	return r.awaitReturns(ctx, on)
}

// awaitEnd waits for a node that was asked to end.
func (r *runner) awaitEnd(ctx context.Context, victim *node, patience time.Duration) error {
	ended, err := r.until(ctx, patience, func() bool {
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
