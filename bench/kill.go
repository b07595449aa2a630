package bench

import (
	"context"
	"fmt"
	"syscall"
)

// gapPromise is one of every storm: somebody gets in while many wait.
const gapPromise = "storm.longest_gap_s<=2"

func stormPromises(c *Config) []string { return append(kindPromises(c), gapPromise, pendingPromise) }

func kindPromises(c *Config) []string {
	switch c.Kind {
	case "drain":
		return drainPromises(c)
	case "cut":
		return cutPromises(c)
	case "freeze":
		return freezePromises(c)
	case "blackout":
		return blackoutPromises(c)
	case "restart":
		return restartPromises(c)
	case "flood":
		return floodPromises(c)
	case "grey":
		return greyPromises(c)
	}
	return []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		"storm.clients>0",
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"storm.attempts_per_success<=1.2",
		"eviction.false==0",
	}
}

// stormKinds are what can befall clients and nodes.
var stormKinds = []string{"kill", "drain", "cut", "freeze", "blackout", "restart", "flood", "grey"}

// storm strikes the first node, or the connections to it, and waits until all is well again.
// A flood strikes nobody: there the clients are the storm.
func storm(ctx context.Context, r *runner) error {
	if r.plan.floods() {
		return r.flood(ctx)
	}
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
	case "blackout":
		return r.blackout(ctx)
	case "restart":
		return r.restartNode(ctx)
	case "grey":
		return r.turnGrey(ctx)
	default:
		return r.killNode(ctx)
	}
}

func (r *runner) killNode(ctx context.Context) error {
	victim := r.nodes[0]
	on := r.fleet.On(victim.addr)
	r.sampleServers(ctx)
	lift := r.slowDown(r.nodes[1:]...)
	defer lift()
	r.fleet.BeginStorm(victim.addr)
	if err := victim.End(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill node %s: %w", victim.name, err)
	}
	r.markKilled(victim)
	r.say("kill -9 of node %s (pid %d) with %d clients%s", victim.name, victim.PID, on, r.plan.slow.words())
	return r.awaitReturns(ctx, on, lift)
}
