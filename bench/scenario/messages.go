package scenario

import (
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
)

// What clients and nodes carry beside heartbeats.

// messageFlags are those of the scenarios that carry messages.
const messageFlags = "send deliver every"

// defaultEvery is between two messages of a client, and between two publications.
const defaultEvery = 10 * time.Second

// leastEvery keeps a load test from being all about its own timers.
const leastEvery = 10 * time.Millisecond

// carries reports whether there are messages.
func (c *Config) carries() bool { return c.Send != "" || c.Deliver > 0 }

// checkMessages returns one sentence about the first flag of the messages that makes no sense.
func (c *Config) checkMessages() error {
	if _, err := payload.ParseSizes(string(c.Send)); err != nil && c.Send != "" {
		return result.Usage("--send: %w", err)
	}
	sent := c.Send.Dice()
	for _, f := range []struct {
		name string
		size payload.Size
	}{{"send", sent.Least()}, {"send", sent.Most()}, {"deliver", c.Deliver}} {
		switch {
		case f.size == 0:
		case f.size < payload.HeaderLen:
			return result.Usage("--%s: %v is below %dB: a message says its number, and when it was due", f.name, f.size, payload.HeaderLen)
		case f.size > codec.MaxBody:
			return result.Usage("--%s: %v is above %dB, which is what a frame holds", f.name, f.size, codec.MaxBody)
		}
	}
	switch {
	case c.talks():
		return nil
	case c.Every != 0 && !c.carries():
		return result.Usage("--every is for --send and --deliver")
	case c.Every != 0 && c.Every < leastEvery:
		return result.Usage("--every: %v is below %v", c.Every, leastEvery)
	case c.Deliver > 0 && c.foreign():
		return result.Usage("--deliver is for nodes of our own, which publish: it is not for --protocol %s", c.Protocol)
	case c.carries() && c.has("silence"):
		return result.Usage("--send and --deliver are not for phases in which clients fall silent")
	}
	for _, t := range c.Targets {
		if a, err := netip.ParseAddrPort(t); c.Deliver > 0 && err == nil && !a.Addr().IsLoopback() {
			return result.Usage("--deliver: the clock of %s is not that of this machine, so that nobody can say how long a publication took: it is for nodes here", t)
		}
	}
	return nil
}

// nodeMessages are the flags of spawned nodes.
func (c *Config) nodeMessages() (args []string) {
	if c.Send != "" && !c.talks() {
		args = append(args, "--no-echo")
	}
	if c.Deliver > 0 {
		args = append(args, "--publish", c.Deliver.String(), "--every", c.Every.String())
	}
	return args
}

// messagePromises: every message is answered, and none is refused. Where no session is struck, each
// publication comes, and nothing comes twice; publications to a session that ends are gone with it.
func messagePromises(c *Config) (all []string) {
	if c.talks() { // it has its own
		return nil
	}
	if c.Send != "" {
		all = append(all, "messages.acknowledged>0", "messages.refused==0", "messages.lost==0")
	}
	if c.Deliver > 0 {
		all = append(all, "messages.delivered>0")
	}
	if c.carries() && !c.storms() {
		all = append(all, "messages.doubled==0")
		if c.Deliver > 0 {
			all = append(all, "messages.undelivered==0")
		}
	}
	return all
}
