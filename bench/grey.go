package bench

import (
	"context"
	"fmt"
	"time"
)

// What a grey failure is by default: a container that is throttled for half a minute.
const (
	defaultGrey     = "1ms/120ms"
	defaultGreyTime = 30 * time.Second
)

// greyPromises are about the end. Whom a slow node could serve is for a threshold to say:
// storm.clients are those whom it lost, maybe nobody.
func greyPromises(c *Config) []string {
	return []string{fmt.Sprintf("conns.end==%d", c.Conns), "eviction.false==0"}
}

// turnGrey makes all nodes slow for a while: they answer, but late, and neither they nor
// TCP say so. (P. Huang et al., "Gray Failure: The Achilles' Heel of Cloud-Scale Systems",
// HotOS 2017.) Clients that nobody serves in time give their sessions up, and knock.
func (r *runner) turnGrey(ctx context.Context) error {
	r.sampleServers(ctx)
	on := r.fleet.Ready()
	r.fleet.BeginStorm()
	lift := r.slowDown(r.nodes...)
	defer lift()
	r.enter("slow", r.plan.Outage)
	r.say("%d clients are in; for %v the nodes run for %v of every %v", on, r.plan.Outage, r.plan.slow.run, r.plan.slow.run+r.plan.slow.stop)
	if err := r.pass(ctx, r.plan.Outage); err != nil {
		return err
	}
	lift()
	r.mu.Lock()
	r.outage = new(r.plan.Outage)
	r.mu.Unlock()
	n := r.fleet.Counts()
	r.say("the nodes run as before; %d clients have lost their session, %d of them are in again", n.StormClients, n.StormBack)
	return r.awaitReturns(ctx, n.StormClients)
}
