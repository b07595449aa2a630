package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// drainGrace is that of the spawned nodes in a drain, unless a --node-arg says another:
// nobody balances here, so nobody has to notice.
const drainGrace = time.Second

// drains: the first node is asked to end, and others are there to take its clients.
func (c *Config) drains() bool { return c.Kind == "drain" || c.Kind == "restart" && !c.alone() }

// alone: no node is left, or none that is well, while the storm goes on, so that clients come
// back only after it.
func (c *Config) alone() bool {
	return c.Kind == "blackout" || c.Kind == "grey" || c.Kind == "restart" && c.Spawn == 1
}

// nodeArg is the value of the last --node-arg of that name.
func (c *Config) nodeArg(name string) (value string, said bool) {
	for _, arg := range c.NodeArgs {
		if n, v, _ := strings.Cut(arg, "="); n == name {
			value, said = v, true
		}
	}
	return value, said
}

func (c *Config) nodeDuration(name string, otherwise time.Duration) time.Duration {
	value, _ := c.nodeArg(name)
	if d, err := time.ParseDuration(value); err == nil {
		return d
	}
	return otherwise
}

// nodeRate leaves it to the node to refuse what is no rate.
func (c *Config) nodeRate(name string, otherwise float64) float64 {
	value, _ := c.nodeArg(name)
	if rate, err := strconv.ParseFloat(value, 64); err == nil && rate > 0 && finite(rate) {
		return rate
	}
	return otherwise
}

// onVictim is how many clients the first node gets.
func (c *Config) onVictim() int {
	if c.alone() {
		return c.Conns
	}
	targets := max(c.Spawn, len(c.Targets))
	if c.Place == "first" {
		return c.Conns - c.probeCount()
	}
	return (c.Conns + targets - 1) / targets
}

// drainPace is how many clients a second the draining node tells to go: its failover rate,
// or more if its window would not be long enough.
func (p *plan) drainPace() float64 {
	if !p.drains() {
		return 0
	}
	pace := p.nodeRate("failover-rate", p.Capacity)
	window := p.nodeDuration("drain-window", time.Minute)
	return max(pace, float64(p.onVictim())/window.Seconds())
}

// drainPromises: nobody is offline for a moment, the receivers get the clients at the pace,
// and one attempt each is enough.
func drainPromises(c *Config) []string {
	p := plan{Config: *c}
	seconds := float64(c.onVictim()) / p.drainPace()
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.onVictim()),
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

// drainNode asks the first node to end and waits until its clients have moved, and it has
// ended by itself.
func (r *runner) drainNode(ctx context.Context) error {
	victim, on, t0, err := r.terminate(ctx)
	if err != nil {
		return err
	}
	r.say("SIGTERM to node %s with %d clients, at up to %.0f a second", victim.name, on, r.plan.drainPace())
	r.enter("drain", r.plan.RecoveryTimeout)
	all, err := r.until(ctx, r.plan.RecoveryTimeout, func() bool {
		n := r.fleet.Counts()
		return n.StormClients >= on && n.StormBack >= n.StormClients
	})
	if err != nil {
		return err
	}
	if !all {
		r.say("not all of them have moved: the wait is over")
		return nil
	}
	r.say("all of them have moved")
	if err := r.awaitEnd(ctx, victim, drainEnd); err != nil {
		return err
	}
	r.drained = new(r.fleet.Now() - t0)
	return r.passIn(ctx, "aftermath", r.heartbeatOr(0)) // a second wave would show here
}

// terminate asks the first node, which has so many clients, to end, at t0.
func (r *runner) terminate(ctx context.Context) (victim *node, on int, t0 time.Duration, err error) {
	victim = r.nodes[0]
	on = r.fleet.On(victim.addr)
	r.sampleServers(ctx)
	r.fleet.BeginStorm(victim.addr)
	t0, _ = r.fleet.StormAt()
	if err = victim.End(syscall.SIGTERM); err != nil {
		return victim, on, t0, fmt.Errorf("ask node %s to end: %w", victim.name, err)
	}
	r.markKilled(victim)
	return victim, on, t0, nil
}

// drainEnd is more than a node waits for clients that were told to go and do not.
const drainEnd = 30 * time.Second
