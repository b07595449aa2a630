package scenario

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/codec"
)

// check returns one sentence about the first thing that makes no sense.
func (c *Config) check() error {
	for _, check := range []func() error{
		c.checkProtocol, c.checkServers, c.checkLoad, c.checkTimes, c.checkTerms, c.checkFlags, c.checkMessages, c.checkStorm, c.checkExternal, c.checkObserved,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return Named(c.Scenario).Check(c)
}

// checkFlags: what is said is for the scenario.
func (c *Config) checkFlags() error {
	if flag := c.misplaced(Named(c.Scenario)); flag != "" {
		return result.Usage("--%s is not for %s", flag, c.Scenario)
	}
	return nil
}

// checkServers is about what is aimed at.
func (c *Config) checkServers() error {
	switch {
	case len(c.Targets) == 0 && c.Spawn == 0:
		return result.Usage("nothing to aim at: give --target HOST:PORT or --spawn N")
	case len(c.Targets) > 0 && c.Spawn > 0:
		return result.Usage("--target and --spawn exclude each other")
	case c.Spawn < 0 || c.Spawn > nodes.Most:
		return result.Usage("--spawn: %d is not within 1 to %d", c.Spawn, nodes.Most)
	case c.Spawn == 0 && (c.Timeout != 0 && !c.foreign() || c.Tick != 0 || len(c.NodeArgs) > 0):
		return result.Usage("--timeout, --tick and --node-arg are for spawned nodes; a target says its own terms in WELCOME")
	case c.Place != "even" && c.Place != "first":
		return result.Usage("--place: %q is neither even nor first", c.Place)
	}
	for _, arg := range c.NodeArgs {
		if name, _, ok := strings.Cut(arg, "="); !ok || name == "" || strings.HasPrefix(name, "-") {
			return result.Usage("--node-arg: %q is not NAME=VALUE", arg)
		}
	}
	return nil
}

// checkLoad is about how many clients come, and how fast.
func (c *Config) checkLoad() error {
	switch {
	case c.Conns < 1 || c.Conns > maxClients:
		return result.Usage("--conns: %d is not within 1 to %d", c.Conns, maxClients)
	case c.Workers < 0 || c.Workers > maxWorkers:
		return result.Usage("--workers: %d is not within 1 to %d", c.Workers, maxWorkers)
	case c.Workers > c.Conns:
		return result.Usage("--workers: %d have nothing to do with --conns %d", c.Workers, c.Conns)
	case !(c.Rate > 0 && c.Rate <= maxRate):
		return result.Usage("--rate: %g is not a number above 0, up to %g", c.Rate, maxRate)
	case tooLong(c.Conns, c.Rate):
		return result.Usage("--rate: %g brings %d clients in more than %v", c.Rate, c.Conns, maxTime)
	case c.Capacity == SearchCapacity && (c.Spawn > 0 || !c.storms()):
		return result.Usage("--capacity search is for storms on targets; of spawned nodes it is known")
	case c.Capacity == SearchCapacity && !c.StartAt.IsZero():
		return result.Usage("--capacity search takes a time that nobody knows before: --start-at is not for it")
	case c.Repeat < 0 || c.Repeat > mostRepeats:
		return result.Usage("--repeat: %d is not within 1 to %d", c.Repeat, mostRepeats)
	case c.Repeat > 1 && !c.StartAt.IsZero():
		return result.Usage("--start-at is not for --repeat, whose runs begin one after the other")
	case c.Capacity < 0 && c.Capacity != SearchCapacity || c.Capacity > maxRate || !finite(c.Capacity):
		return result.Usage("--capacity: %g is not a number above 0, up to %g", c.Capacity, maxRate)
	case c.Capacity > 0 && tooLong(c.Conns, c.Capacity):
		return result.Usage("--capacity: %g takes %d clients in more than %v", c.Capacity, c.Conns, maxTime)
	case !(c.Fraction >= 0 && c.Fraction <= 1): // NaN is neither
		return result.Usage("--fraction: %g is not within 0 to 1", c.Fraction)
	case !(c.Probes <= 1):
		return result.Usage("--probes: %g is not a share from 0 to 1", c.Probes)
	}
	if c.floods() && c.Profile != "" {
		return result.Usage("--profile is not for a flood, whose clients come at --rate")
	}
	if err := checkProfile(c.Profile, c.Steps); err != nil {
		return result.Usage("--%w", err)
	}
	return nil
}

// checkTimes is about each time by itself.
func (c *Config) checkTimes() error {
	for _, f := range []struct {
		name string
		time time.Duration
	}{
		{"duration", c.Duration}, {"lifetime", c.Lifetime}, {"heartbeat", c.Heartbeat}, {"timeout", c.Timeout},
		{"tick", c.Tick}, {"pong-timeout", c.PongTimeout}, {"freeze", c.Freeze}, {"recovery-timeout", c.RecoveryTimeout},
		{"deadline", c.Deadline}, {"trickle-interval", c.TrickleInterval}, {"outage", c.Outage}, {"every", c.Every},
		{"storm-at", c.StormAt}, {"kill-after", c.KillAfter}, {"drain-after", c.DrainAfter}, {"restart-after", c.RestartAfter},
		{"split-after", c.SplitAfter}, {"split-for", c.SplitFor},
	} {
		switch {
		case f.time > maxTime:
			return result.Usage("--%s is more than %v", f.name, maxTime)
		case f.time < 0:
			return result.Usage("--%s: %v is below 0", f.name, f.time)
		}
	}
	switch {
	case c.Lifetime > 0 && c.departureRate() > maxDepartures:
		return result.Usage("--lifetime: %v of %d clients is more than %d departures a second", c.Lifetime, c.Conns, maxDepartures)
	case c.PongTimeout > maxPatience:
		return result.Usage("--pong-timeout: %v is more than %v", c.PongTimeout, maxPatience)
	}
	return nil
}

// checkTerms is about the heartbeat and the timeout, as they go together.
func (c *Config) checkTerms() error {
	told := c.Spawn > 0 && c.Protocol != foreign.MQTT // whose keepalive says both
	switch {
	case told && c.Timeout <= c.Heartbeat:
		return result.Usage("--timeout: %v is not above --heartbeat %v, every client would be evicted", c.Timeout, c.Heartbeat)
	case c.Heartbeat > 0 && c.Heartbeat < codec.MinInterval:
		return result.Usage("--heartbeat: %v is below %v, the shortest that clients keep to", c.Heartbeat, codec.MinInterval)
	case told && c.Timeout < codec.MinTimeout(c.Heartbeat):
		return result.Usage("--timeout: %v is below %v, the least for clients that speak every %v", c.Timeout, codec.MinTimeout(c.Heartbeat), c.Heartbeat)
	}
	return nil
}

// checkObserved: a process and an address belong to the target at the same place of its
// list.
func (c *Config) checkObserved() error {
	if c.Spawn > 0 && len(c.PIDs)+len(c.Admins) > 0 {
		return result.Usage("--pid and --admin are for --target; of spawned nodes they are known")
	}
	if len(c.PIDs) > len(c.Targets) || len(c.Admins) > len(c.Targets) {
		return result.Usage("--pid and --admin name one for each --target, in their order: there are %d targets", len(c.Targets))
	}
	for _, pid := range c.PIDs {
		if pid < 1 {
			return result.Usage("--pid: %d is no process", pid)
		}
	}
	for _, a := range c.Admins {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return result.Usage("--admin: %q is not HOST:PORT", a)
		}
	}
	return nil
}

// What a run may be asked for: beyond it times overflow, or what is made for each client does.
const (
	maxClients = math.MaxInt32
	maxRate    = 1e9
	maxTime    = 10_000 * time.Hour // more than a year

	maxPatience = time.Hour // the longest that a link waits for a PONG

	mostRepeats = 1000

	maxDepartures = 1_000_000 // sessions a second that end by BYE
)

// tooLong says whether so many clients at a rate take longer than maxTime.
func tooLong(clients int, rate float64) bool { return float64(clients)/rate > maxTime.Seconds() }

// checkProfile returns one sentence about the shape of a ramp that makes no sense.
func checkProfile(profile string, steps int) error {
	switch {
	case profile != "" && !slices.Contains(swarm.Profiles, profile):
		return fmt.Errorf("profile: %q is unknown; there are %s", profile, strings.Join(swarm.Profiles, ", "))
	case steps < 0 || steps > 1000:
		return fmt.Errorf("steps: %d is not within 1 to 1000", steps)
	case steps != 0 && profile != "step":
		return fmt.Errorf("steps are for the profile step")
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
