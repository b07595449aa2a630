package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"
)

// defaultOutage is long enough for a backoff that doubles to grow.
const defaultOutage = 15 * time.Second

// blackoutPromises count from the nodes' return. How often clients knock at nobody's door
// before is not judged.
func blackoutPromises(c *Config) []string {
	return []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.onVictim()),
		fmt.Sprintf("storm.t100_s<=%g", (c.Outage + c.RecoveryTimeout).Seconds()),
		"eviction.false==0",
	}
}

// blackout kills all nodes at once and starts them again after the outage.
func (r *runner) blackout(ctx context.Context) error {
	var addrs []string
	for _, n := range r.nodes {
		addrs = append(addrs, n.addr)
	}
	r.sampleServers(ctx)
	on := r.fleet.Ready()
	r.fleet.BeginStorm(addrs...)
	t0, _ := r.fleet.StormAt()
	for _, n := range r.nodes {
		if err := n.End(syscall.SIGKILL); err != nil {
			return fmt.Errorf("kill node %s: %w", n.name, err)
		}
		r.markKilled(n)
	}
	r.enter("outage", r.plan.Outage)
	r.say("kill -9 of all nodes (%d) with %d clients, for %v", len(r.nodes), on, r.plan.Outage)
	if err := r.pass(ctx, r.plan.Outage); err != nil {
		return err
	}
	if err := r.startAgain(ctx, t0, slices.Clone(r.nodes)...); err != nil {
		return err
	}
	return r.awaitReturns(ctx, on)
}

// startAgain starts nodes that have ended, and notes when the first of them can accept.
func (r *runner) startAgain(ctx context.Context, t0 time.Duration, ended ...*node) error {
	failed := make([]error, len(ended))
	var starting sync.WaitGroup
	for i, n := range ended {
		starting.Go(func() {
			n.Reap()
			var next *node
			if next, failed[i] = n.again(ctx); failed[i] == nil {
				r.replace(n, next, r.fleet.Now()-t0)
			}
		})
	}
	starting.Wait()
	for i, err := range failed {
		if err != nil {
			return fmt.Errorf("start node %s again: %w", ended[i].name, err)
		}
	}
	r.say("nodes that run again, on the same addresses, after %.1f s: %d", (r.fleet.Now() - t0).Seconds(), len(ended))
	return nil
}

// replace puts a new process in the place of one that has ended.
func (r *runner) replace(old, next *node, after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, n := range r.nodes {
		if n == old {
			r.nodes[i] = next
			r.observers[i] = observer{node: next, pid: next.PID, admin: next.admin}
			r.servers[i] = Server{Addr: next.addr, Node: &next.name, PID: &next.PID}
		}
	}
	if r.outage == nil {
		r.outage = &after
	}
}

// awaitReturns waits until so many clients were hit and all of them are back, lifts what
// slows nodes down until then, and waits for a heartbeat more.
func (r *runner) awaitReturns(ctx context.Context, hit int, lift ...func()) error {
	r.enter("recovery", r.plan.RecoveryTimeout)
	all, err := r.until(ctx, r.plan.RecoveryTimeout, func() bool {
		n := r.fleet.Counts()
		return n.StormClients >= hit && n.StormBack >= n.StormClients
	})
	for _, f := range lift {
		f()
	}
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
