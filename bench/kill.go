package bench

import (
	"context"
	"fmt"
	"syscall"
)

func stormPromises(c *Config) []string {
	switch c.Kind {
	case "drain":
		return drainPromises(c)
	case "cut":
		return cutPromises(c)
	case "freeze":
		return freezePromises(c)
	}
	return []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		"storm.clients>0",
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"storm.attempts_per_success<=1.2",
		"eviction.false==0",
	}
}

// stormKinds are what can befall the clients of the first node.
var stormKinds = []string{"kill", "drain", "cut", "freeze"}

// storm strikes the first node, or the connections to it, and waits until all is well again.
func storm(ctx context.Context, r *runner) error {
	if err := r.ramp(ctx); err != nil {
		return err
	}
	if err := r.steady(ctx); err != nil {
		return err
	}
	return r.strike(ctx)
}

// strike is the blow of the storm, and what comes of it.
func (r *runner) strike(ctx context.Context) error {
	switch r.plan.Kind {
	case "drain":
		return r.drainNode(ctx)
	case "cut":
		return r.cutClients(ctx)
	case "freeze":
		return r.freezeNode(ctx)
	default:
		return r.killNode(ctx)
	}
}

func (r *runner) killNode(ctx context.Context) error {
	victim := r.nodes[0]
	on := r.fleet.On(victim.addr)
	r.sampleServers(ctx)
	r.fleet.BeginStorm(victim.addr)
	if err := victim.signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill node %s: %w", victim.name, err)
	}
	r.markKilled(victim)
	r.say("kill -9 of node %s (pid %d) with %d clients", victim.name, victim.pid, on)
	r.enter("recovery", r.plan.RecoveryTimeout)
	all, err := r.until(ctx, r.plan.RecoveryTimeout, func() bool {
		n := r.fleet.Counts()
		return n.StormClients >= on && n.StormBack >= n.StormClients
	})
	if err != nil {
		return err
	}
	if !all {
		r.say("not all of them are back: the wait is over")
		return nil
	}
	r.say("all of them are back")
	return r.passIn(ctx, "aftermath", r.heartbeatOr(0)) // a second wave would show here
}
