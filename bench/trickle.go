package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/token"
)

// trickled are the frames that can go out a byte at a time.
var trickled = []string{"hello", "ping"}

// partialDeadline is how long our server waits for the end of a frame that does not
// progress.
const partialDeadline = 10 * time.Second

func trickleDefaults(c *Config) {
	fill(&c.Fraction, 0.5)
	fill(&c.TrickleInterval, 200*time.Millisecond)
	fill(&c.Trickle, "hello")
	if c.Trickle == "ping" {
		fill(&c.Deadline, partialDeadline)
	}
	fill(&c.Deadline, helloDeadline)
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
			ClientID: []byte(clientID(clientPrefix(c.Seed))(tenancy(number, 0))), Token: credential}) // ours are within the limits
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
		return silentCount(c)
	}
	return 0
}

// tricklePromises: those that are faster than the deadline live, slower ones are closed, and
// the others notice neither. A server that finds bytes to be read looks at them first, for a
// tick, twice at most.
func tricklePromises(c *Config) []string {
	n := c.trickledOut()
	all := append(livingPromises(c, c.Conns-n),
		fmt.Sprintf("eviction.expected==%d", n),
		"eviction.overlooked==0",
		"eviction.early==0")
	if c.Spawn > 0 {
		if n > 0 {
			all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", 2*promisedLatenessMs(c)-50))
		}
		all = append(all, "conns.ghosts==0")
	}
	return all
}

// trickle has a share of the clients send their HELLO, or their PINGs, a byte at a time.
func trickle(ctx context.Context, r *runner) error {
	c := &r.plan.Config
	if err := r.ramp(ctx); err != nil {
		return err
	}
	shortest, longest := c.trickleTime()
	r.say("%d clients need %v for a %s, the deadline is %v", silentCount(c), shortest, c.Trickle, c.Deadline)
	wait := c.Deadline
	if c.Trickle == "ping" {
		wait += r.fleet.LongestInterval() // until they say PING
	}
	if !c.tooSlow() {
		if err := r.awaitTrickled(ctx, wait+longest); err != nil {
			return err
		}
	}
	return r.awaitClosed(ctx, c.trickledOut(), wait)
}

// awaitTrickled waits until each client has got a whole frame through: before that nothing is
// proven, however short the run was meant to be.
func (r *runner) awaitTrickled(ctx context.Context, bound time.Duration) error {
	r.enter("trickle", bound)
	n := silentCount(&r.plan.Config)
	all, err := r.until(ctx, bound, func() bool {
		c := r.fleet.Counts()
		return c.Trickled >= n || c.Losses.total() > 0
	})
	if err == nil && !all {
		r.say("%d of %d clients have sent a whole %s: the wait is over", r.fleet.Counts().Trickled, n, r.plan.Trickle)
	}
	return err
}

// dripping is a frame that goes out byte by byte.
type dripping struct {
	rest []byte
	next time.Duration
}

// slowly begins to send a frame byte by byte, if that is what this client does. One that
// will be too slow has said its last word to the server then: it is mute.
func (l *loop) slowly(i uint32, c *client, attempt uint32, b []byte) bool {
	cfg := &l.swarm.cfg
	pinging := c.ready()
	if attempt != c.attempt || pinging != cfg.TricklePings {
		return false
	}
	if d, waiting := l.drips[i]; waiting {
		d.rest = append(d.rest, b...)
		l.drips[i] = d
		return true
	}
	l.drips[i] = dripping{rest: append([]byte(nil), b...), next: l.now}
	if cfg.TooSlow {
		due := c.last.start + cfg.Deadline // of HELLO, from the connect
		if pinging {
			due = min(l.now+cfg.Deadline, c.last.start+c.last.timeout())
		}
		c.flags |= flagMute
		c.last = lastWrite{start: due}
		l.counted.Muted++
	}
	return true
}

// drip sends the next byte of client i's frame when it is due, and says when to go on.
func (l *loop) drip(i uint32, c *client) time.Duration {
	d, dripping := l.drips[i]
	if !dripping {
		return link.Never
	}
	if c.attempt == 0 { // the connection is over
		delete(l.drips, i)
		return link.Never
	}
	if d.next > l.now {
		return d.next
	}
	l.wasLate(d.next)
	n, _, err := writeSocket(int(c.fd), d.rest[:1])
	d.rest, d.next = d.rest[n:], d.next+l.swarm.cfg.TrickleInterval
	if err != nil || len(d.rest) == 0 { // what a failed write means, the read tells
		delete(l.drips, i)
		if err == nil && !c.flags.has(flagMute) {
			if !l.trickled[i] {
				l.trickled[i] = true
				l.counted.Trickled++
			}
			c.last.wrote(l.now, l.swarm.Now(), c.link.Info().Terms.Timeout, 0)
			if c.ready() {
				l.wroteAt = l.now
				l.ask(i, c, l.now)
			}
		}
		return link.Never
	}
	l.drips[i] = d
	return d.next
}
