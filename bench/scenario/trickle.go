package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/token"
)

// trickle has a share of the clients send their HELLO, or their PINGs, a byte at a time.
type trickle struct{}

func (trickle) Name() string { return "trickle" }

func (trickle) About() string {
	return "--fraction of the clients send HELLO or PING a byte every --trickle-interval"
}

func (trickle) Takes() string { return "fraction deadline trickle trickle-interval" }

// trickled are the frames that can go out a byte at a time.
var trickled = []string{"hello", "ping"}

// partialDeadline is how long our server waits for the end of a frame that does not
// progress.
const partialDeadline = 10 * time.Second

func (trickle) Defaults(c *Config) {
	fill(&c.Fraction, 0.5)
	fill(&c.TrickleInterval, 200*time.Millisecond)
	fill(&c.Trickle, "hello")
	if c.Trickle == "ping" {
		fill(&c.Deadline, partialDeadline)
	}
	fill(&c.Deadline, helloDeadline)
}

func (trickle) Check(c *Config) error {
	switch {
	case c.foreign():
		return result.Usage("trickle counts the bytes of our own frames: it is not for --protocol %s", c.Protocol)
	case !slices.Contains(trickled, c.Trickle):
		return result.Usage("--trickle: %q is unknown; there are %s", c.Trickle, strings.Join(trickled, ", "))
	case c.undecided():
		shortest, _ := c.trickleTime()
		return result.Usage("--trickle-interval: %v makes %v of a %s, too close to the deadline of %v to promise anything", c.TrickleInterval, shortest, c.Trickle, c.Deadline)
	}
	return c.checkMisbehaving()
}

func (trickle) Roles(c *Config, s *swarm.Config) {
	s.Tricklers, s.TrickleInterval, s.TricklePings = c.misbehaving(), c.TrickleInterval, c.Trickle == "ping"
	s.TooSlow, s.Deadline = c.tooSlow(), c.Deadline
}

// trickleTime is from the first to the last byte of the longest and of the shortest frame
// that is trickled.
func (c *Config) trickleTime() (shortest, longest time.Duration) {
	if c.Trickle == "ping" {
		n := len(codec.AppendPing(nil, 1, 0))
		return time.Duration(n-1) * c.TrickleInterval, time.Duration(n-1) * c.TrickleInterval
	}
	var credential []byte
	if c.AuthSecretFile != "" {
		credential = make([]byte, token.Length)
	}
	size := func(number int) time.Duration {
		b, _ := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: codec.ProtocolVersion, MaxVersion: codec.ProtocolVersion,
			ClientID: []byte(swarm.FirstID(c.Seed, number)), Token: credential}) // ours are within the limits
		return time.Duration(len(b)-1) * c.TrickleInterval
	}
	return size(0), size(c.Conns - 1)
}

// tooSlow: the frames take longer than the server may wait.
func (c *Config) tooSlow() bool {
	shortest, _ := c.trickleTime()
	return shortest > c.Deadline
}

// undecided: they take about as long, so that nothing can be promised.
func (c *Config) undecided() bool {
	shortest, longest := c.trickleTime()
	return float64(longest) > 0.8*float64(c.Deadline) && float64(shortest) < 1.2*float64(c.Deadline)
}

// trickledOut is how many clients the server is to close.
func (c *Config) trickledOut() int {
	if c.tooSlow() {
		return c.misbehaving()
	}
	return 0
}

// Promises: those that are faster than the deadline live, slower ones are closed, and
// the others notice neither. A server that finds bytes to be read looks at them first, for a
// tick, twice at most.
func (trickle) Promises(c *Config) []string {
	n := c.trickledOut()
	all := append(livingPromises(c, c.Conns-n),
		fmt.Sprintf("eviction.expected==%d", n),
		"eviction.overlooked==0",
		"eviction.early==0")
	if c.Spawn > 0 {
		if n > 0 {
			all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", 2*promisedLatenessMs(c, tickLate)-result.Millis(tickLate)))
		}
		all = append(all, "conns.ghosts==0")
	}
	return all
}

func (trickle) Parts(*Config) []string { return []string{"ramp", "trickle", "eviction", "steady"} }

func (trickle) Play(ctx context.Context, s *Stage) error {
	c := &s.Config
	shortest, longest := c.trickleTime()
	var slower time.Duration // than others are until they are welcomed
	if c.Trickle == "hello" && !c.tooSlow() {
		slower = longest
	}
	if err := s.rampWithin(ctx, slower); err != nil {
		return err
	}
	s.Say("%d clients need %v for a %s, the deadline is %v", c.misbehaving(), shortest, c.Trickle, c.Deadline)
	wait := c.Deadline
	if c.Trickle == "ping" {
		wait += s.Clients.LongestInterval() // until they say PING
	}
	if !c.tooSlow() {
		if err := s.awaitTrickled(ctx, wait+longest); err != nil {
			return err
		}
	}
	return s.awaitClosed(ctx, c.trickledOut(), wait)
}

// awaitTrickled waits until each client has got a whole frame through: before that nothing is
// proven, however short the run was meant to be.
func (s *Stage) awaitTrickled(ctx context.Context, bound time.Duration) error {
	s.Enter("trickle", bound)
	n := s.misbehaving()
	all, err := s.until(ctx, bound, func() bool {
		c := s.Clients.Counts()
		return c.Trickled >= n || c.Losses.Total() > 0
	})
	if err == nil && !all {
		s.Say("%d of %d clients have sent a whole %s: the wait is over", s.Clients.Counts().Trickled, n, s.Trickle)
	}
	return err
}
