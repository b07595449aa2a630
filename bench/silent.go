package bench

import (
	"context"
	"fmt"
	"time"
)

func silentDefaults(c *Config) { fill(&c.Fraction, 0.1) }

// silentCount is how many clients are to fall silent when all are ready.
func silentCount(c *Config) int {
	return min(int(c.Fraction*float64(c.Conns)+0.5), c.Conns-c.probeCount())
}

// silentPromises: each that falls silent is evicted, in time, and nobody else ends.
func silentPromises(c *Config) []string {
	return append(evictionPromises(c), fmt.Sprintf("conns.lost==%d", silentCount(c)), answeredPromise)
}

func evictionPromises(c *Config) []string {
	n := silentCount(c)
	all := []string{
		fmt.Sprintf("eviction.expected==%d", n),
		fmt.Sprintf("eviction.observed==%d", n),
		"eviction.early==0",
		"eviction.false==0",
	}
	if c.Spawn > 0 {
		all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", promisedLatenessMs(c)))
	}
	return all
}

// promisedLatenessMs is the server's two ticks, and 50 ms for the kernel and for us.
func promisedLatenessMs(c *Config) float64 {
	tick := c.Tick
	fill(&tick, 250*time.Millisecond)
	return ms(2*tick) + 50
}

// silent has some clients stop speaking while they keep their sockets, and waits until
// the server has noticed each. The others go on, and none of them may be evicted.
func silent(ctx context.Context, r *runner) error {
	if err := r.ramp(ctx); err != nil {
		return err
	}
	if err := r.steady(ctx); err != nil {
		return err
	}
	return r.silence(ctx, silentCount(&r.plan.Config))
}

// evictionPatience is how long after the timeout a silent client may still be evicted
// before it counts as overlooked.
const evictionPatience = 20 * time.Second

// silence has count clients fall silent and waits until the servers have noticed each.
func (r *runner) silence(ctx context.Context, count int) error {
	longest := r.fleet.LongestTimeout()
	muted := r.fleet.Mute(count)
	r.say("%d clients fall silent; the timeout is %v", muted, longest)
	r.enter("silence", longest+evictionPatience)
	all, err := r.until(ctx, longest+evictionPatience, func() bool {
		n := r.fleet.Counts()
		return n.Observed+n.OtherMutes >= n.Muted
	})
	if err != nil {
		return err
	}
	if all {
		r.say("all of them are gone")
	} else {
		r.say("not all of them were noticed: the wait is over")
	}
	return nil
}
