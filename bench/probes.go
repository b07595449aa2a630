package bench

import (
	"slices"
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

// probedScenarios are those that take --probes.
var probedScenarios = []string{"silent", "storm", "phases", "demo"}

// probeCount is how many clients the scenario leaves alone and measures apart. They are on
// nodes that are not struck, where there are any.
func (c *Config) probeCount() int {
	if c.floods() {
		return c.baseline()
	}
	if c.alone() { // nobody is left alone
		return 0
	}
	if !slices.Contains(probedScenarios, c.Scenario) || c.Probes < 0 || c.Scenario == "phases" && !c.has("storm") && !c.has("silence") {
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
	if targets := max(c.Spawn, len(c.Targets)); targets > 1 {
		room -= (c.Conns + targets - 1) / targets
	}
	return min(n, room)
}

func probePromises(c *Config) []string {
	if c.probeCount() == 0 {
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

// Probes are clients that the scenario does not touch. They are on nodes that it does not
// strike, if there are others, and ask every second, or every heartbeat if that is shorter. In a
// flood they are those that were in before it, and heartbeat as all do.
type Probes struct {
	Clients int      `json:"clients"`
	Lost    int      `json:"lost"` // sessions of theirs
	RTTms   ProbeRTT `json:"rtt_ms"`
}

// ProbeRTT is from the moment the PING was due, until the blow (t0, or when clients fell
// silent) and from then on.
type ProbeRTT struct {
	Before *Percentiles `json:"before"`
	During *Percentiles `json:"during"`
}

// probeTally is what the loops know of probes.
type probeTally struct {
	Lost           int
	Before, During *hist
}

func newProbeTally() *probeTally { return &probeTally{Before: newHist(), During: newHist()} }

func (t *probeTally) merge(from *probeTally) {
	t.Lost += from.Lost
	t.Before.merge(from.Before)
	t.During.merge(from.During)
}

// probed notes a round trip of a probe.
func (l *loop) probed(rtt time.Duration) {
	if l.swarm.struck.Load() {
		l.probes.During.record(rtt)
	} else {
		l.probes.Before.record(rtt)
	}
}

func (r *runner) probed(t *tally) *Probes {
	n := r.plan.probeCount()
	if n == 0 {
		return nil
	}
	return &Probes{Clients: n, Lost: t.Probes.Lost, RTTms: ProbeRTT{t.Probes.Before.percentiles(), t.Probes.During.percentiles()}}
}
