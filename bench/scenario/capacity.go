package scenario

// SearchCapacity, for Config.Capacity, has it found out before the run.
const SearchCapacity = -1

// How what a target admits is found: the steepest ramp at which the slowest in a hundred clients is in "at once".
const (
	capacityGoal = "connect.latency_ms.p99<=1000"
	// shortestRamp is in seconds: what comes in less is a burst, which queues take.
	shortestRamp = 2
)

// CapacitySearch is the search for what the targets of a storm admit per second. Ramps are of as many clients as the
// storm has, and take two seconds at least.
func (p *Plan) CapacitySearch(asked Config) Config {
	c := asked
	c.Scenario, c.Vary, c.Goal = "find-max", VaryRate, capacityGoal
	c.Conns, c.Rate = p.Conns, max(float64(p.Conns/shortestRamp), 1)
	c.Kind, c.StormCmd, c.DrainCmd, c.StormAt, c.Phases = "", "", "", 0, nil
	c.Freeze, c.Outage, c.Slow, c.Fraction, c.Cohorts, c.Probes, c.Duration, c.Capacity = 0, 0, "", 0, "", 0, 0, 0
	c.Profile, c.Steps, c.Lifetime = "", 0, 0
	c.Thresholds, c.AbortOn, c.AbortAfter, c.NoPromises, c.Scrapes, c.Repeat = nil, nil, 0, false, nil, 0
	return c
}
