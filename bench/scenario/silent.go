package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
)

// silent has some clients stop speaking while they keep their sockets, and waits until
// the server has noticed each. The others go on, and none of them may be evicted.
type silent struct{ plain }

func (silent) Name() string { return "silent" }

func (silent) About() string {
	return "--fraction of the clients keep the socket and stop speaking"
}

func (silent) Takes() string { return "fraction probes" }

func (silent) Defaults(c *Config) { fill(&c.Fraction, 0.1) }

func (silent) Check(c *Config) error {
	if c.Protocol == foreign.Echo && c.Timeout == 0 {
		return result.Usage("silent needs a server that drops clients who do not speak: say after how long this one does with --timeout")
	}
	return c.checkMisbehaving()
}

// misbehaving is how many clients do what the scenario is named for.
func (c *Config) misbehaving() int {
	return min(int(c.Fraction*float64(c.Conns)+0.5), c.Conns-c.ProbeCount())
}

// checkMisbehaving: somebody has to.
func (c *Config) checkMisbehaving() error {
	if c.misbehaving() < 1 {
		return result.Usage("--fraction: %g of %d clients is nobody", c.Fraction, c.Conns)
	}
	return nil
}

// Promises: each that falls silent is evicted, in time, and nobody else ends.
func (silent) Promises(c *Config) []string {
	return append(evictionPromises(c, tickLate), fmt.Sprintf("conns.lost==%d", c.misbehaving()), answeredPromise)
}

// tickLate is what an eviction may be late beyond its ticks where those are measured: the kernel's part, and ours.
const tickLate = 50 * time.Millisecond

// evictionPromises are those about silent clients; late is what an eviction may be late beyond the server's ticks.
func evictionPromises(c *Config, late time.Duration) []string {
	n := c.misbehaving()
	all := []string{
		fmt.Sprintf("eviction.expected==%d", n),
		fmt.Sprintf("eviction.observed==%d", n),
		"eviction.early==0",
		"eviction.false==0",
	}
	if c.Spawn > 0 {
		all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", promisedLatenessMs(c, late)))
	}
	return all
}

// promisedLatenessMs is the server's two ticks, and what there is beyond them.
func promisedLatenessMs(c *Config, late time.Duration) float64 {
	tick := c.Tick
	fill(&tick, 250*time.Millisecond)
	return result.Millis(2*tick + late)
}

func (silent) Parts(*Config) []string { return []string{"ramp", "steady", "silence"} }

func (silent) Play(ctx context.Context, s *Stage) error {
	if err := s.ramp(ctx); err != nil {
		return err
	}
	if err := s.steady(ctx); err != nil {
		return err
	}
	return s.silence(ctx, s.misbehaving())
}

// evictionPatience is how long after the timeout a silent client may still be evicted
// before it counts as overlooked.
const evictionPatience = 20 * time.Second

// silence has count clients fall silent and waits until the servers have noticed each.
func (s *Stage) silence(ctx context.Context, count int) error {
	longest := s.Clients.LongestTimeout()
	muted := s.Clients.Mute(count)
	s.Note(result.EventSilence, "", fmt.Sprintf("%d clients fall silent", muted))
	s.Say("%d clients fall silent; the timeout is %v", muted, longest)
	s.Enter("silence", longest+evictionPatience)
	all, err := s.until(ctx, longest+evictionPatience, func() bool {
		n := s.Clients.Counts()
		return n.Observed+n.OtherMutes >= n.Muted
	})
	if err != nil {
		return err
	}
	if all {
		s.Say("all of them are gone")
	} else {
		s.Say("not all of them were noticed: the wait is over")
	}
	return nil
}
