package scenario

import (
	"time"
)

// probeInterval is how often a probe asks: often enough to see a storm of seconds.
const probeInterval = time.Second

// defaultProbes is the share of the clients that are probes, and fewestProbes how many there
// are at least in a run of some size.
const (
	defaultProbes = 0.02
	fewestProbes  = 10
	someSize      = 500
)

// ProbeCount is how many clients the scenario leaves alone and measures apart. They are on
// nodes that are not struck, where there are any.
func (c *Config) ProbeCount() int {
	if c.floods() {
		return c.baseline()
	}
	if c.Alone() { // nobody is left alone
		return 0
	}
	if !c.takes("probes") || c.Probes < 0 || len(c.Phases) > 0 && !c.has("storm") && !c.has("silence") {
		return 0
	}
	n := int(c.Probes*float64(c.Conns) + 0.5)
	if c.Probes == 0 {
		n = int(defaultProbes*float64(c.Conns) + 0.5)
		if c.Conns >= someSize {
			n = max(n, fewestProbes)
		}
	}
	room := c.Conns
	if targets := c.targets(); targets > 1 {
		room -= (c.Conns + targets - 1) / targets
	}
	return min(n, room)
}

func probePromises(c *Config) []string {
	if c.ProbeCount() == 0 {
		return nil
	}
	return []string{"probes.lost==0"}
}

// probeBeat is a second, or the heartbeat of the others if that is shorter. The probes of a
// flood are many, and no quicker than others: 0 is what the nodes say.
func (c *Config) probeBeat() time.Duration {
	if c.floods() && c.Spawn > 0 {
		return 0
	}
	if c.floods() {
		return c.Heartbeat
	}
	if c.Heartbeat > 0 {
		return min(c.Heartbeat, probeInterval)
	}
	return probeInterval
}
