package bench

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// freezeSlack is what the default freeze lasts beyond the time within which every client
// has noticed.
const freezeSlack = 5 * time.Second

// noticeTime is within which a client notices that its node stands still: it asks after
// a heartbeat at most, and then waits for its patience.
func (c *Config) noticeTime() time.Duration { return c.Heartbeat + c.PongTimeout }

func freezePromises(c *Config) []string {
	all := []string{fmt.Sprintf("conns.end==%d", c.Conns)}
	switch {
	case c.Freeze < c.PongTimeout:
		all = append(all, "storm.clients==0") // nobody's patience is over before the node goes on
	case c.Freeze > c.noticeTime():
		all = append(all, fmt.Sprintf("storm.clients==%d", c.onVictim()),
			fmt.Sprintf("storm.t100_s<=%g", (c.noticeTime()+c.RecoveryTimeout).Seconds()),
			"storm.attempts_per_success<=1.2")
	}
	return append(all, "eviction.false==0", "conns.ghosts==0", fmt.Sprintf("storm.ghosts_gone_s<=%g", ghostPatience.Seconds()))
}

// freezeNode stops the first node's process for a while. Its connections stay open, and
// nobody answers: clients have to notice by themselves. When it goes on, it finds that they
// have left.
func (r *runner) freezeNode(ctx context.Context) error {
	victim := r.nodes[0]
	on := r.fleet.On(victim.addr)
	r.sampleServers(ctx)
	r.fleet.BeginStorm() // a node that wakes must not evict those that spoke meanwhile
	if err := victim.freeze(); err != nil {
		return fmt.Errorf("freeze node %s: %w", victim.name, err)
	}
	defer victim.thaw()
	r.enter("frozen", r.plan.Freeze)
	r.say("SIGSTOP to node %s with %d clients, for %v", victim.name, on, r.plan.Freeze)
	if err := r.pass(ctx, r.plan.Freeze); err != nil {
		return err
	}
	hit := r.fleet.Counts().StormClients
	if err := victim.thaw(); err != nil {
		return fmt.Errorf("thaw node %s: %w", victim.name, err)
	}
	r.enter("recovery", r.plan.RecoveryTimeout)
	r.say("SIGCONT; %d of its clients have given it up", hit)
	return r.recover(ctx, hit, r.fleet.Now(), 2*ghostPatience)
}

// freeze stops the process; a death would still be unasked.
func (n *node) freeze() error {
	n.frozen.Store(true)
	return n.Signal(syscall.SIGSTOP)
}

// thaw lets it go on. It may be repeated.
func (n *node) thaw() error {
	defer n.frozen.Store(false)
	return n.Signal(syscall.SIGCONT)
}
