package bench

import (
	"context"
	"fmt"
	"time"
)

// helloDeadline is how long our server waits for a complete HELLO.
const helloDeadline = 5 * time.Second

func halfOpenDefaults(c *Config) {
	fill(&c.Fraction, 0.5)
	fill(&c.Deadline, helloDeadline)
}

// halfOpenPromises: each that says nothing is closed, none before its deadline but to make
// room for others, and the living do not notice.
func halfOpenPromises(c *Config) []string {
	all := append(livingPromises(c, c.Conns-silentCount(c)),
		fmt.Sprintf("eviction.expected==%d", silentCount(c)),
		"eviction.overlooked==0",
		"eviction.early==0")
	if c.Spawn > 0 {
		all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", promisedLatenessMs(c)), "conns.ghosts==0")
	}
	return all
}

// livingPromises are those of runs in which other clients misbehave.
func livingPromises(c *Config, living int) []string {
	return []string{
		fmt.Sprintf("conns.end==%d", living),
		"connect.failed==0",
		"conns.lost==0",
		answeredPromise,
		"eviction.false==0",
	}
}

// halfOpen connects all, of which a share say nothing, not even HELLO, and waits until the
// server has closed each of those. The others go on.
func halfOpen(ctx context.Context, r *runner) error {
	if err := r.ramp(ctx); err != nil {
		return err
	}
	return r.awaitClosed(ctx, silentCount(&r.plan.Config), r.plan.Deadline)
}

// awaitClosed waits until n clients that the scenario has misbehave were closed, and then
// for a heartbeat, in which the living show that they are.
func (r *runner) awaitClosed(ctx context.Context, n int, deadline time.Duration) error {
	r.enter("eviction", deadline+evictionPatience)
	all, err := r.until(ctx, deadline+evictionPatience, func() bool {
		c := r.fleet.Counts()
		return c.Observed+c.OtherMutes >= n
	})
	if err != nil {
		return err
	}
	if all {
		r.say("the server has closed all %d", n)
	} else {
		r.say("not all of them were closed: the wait is over")
	}
	if err := r.exorcise(ctx, ghostPatience); err != nil {
		return err
	}
	return r.steady(ctx)
}

// stayHalfOpen is what a half-open client does when it is connected: nothing more.
func (l *loop) stayHalfOpen(c *client) {
	c.flags |= flagMute
	c.last.setTimeout(l.swarm.cfg.Deadline)
	l.counted.Muted++
}
