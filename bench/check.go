package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// misplaced names the first flag that is said and not for the scenario.
func (p *plan) misplaced() string {
	for _, f := range []struct {
		name string
		said bool
	}{
		{"fraction", p.Fraction != 0}, {"kind", p.Kind != ""}, {"freeze", p.Freeze != 0},
		{"outage", p.Outage != 0}, {"slow", p.Slow != ""},
		{"probes", p.Probes != 0}, {"cohorts", p.Cohorts != ""}, {"deadline", p.Deadline != 0},
		{"trickle", p.Trickle != ""}, {"trickle-interval", p.TrickleInterval != 0},
		{"goal", p.Goal != ""}, {"vary", p.Vary != ""}, {"lifetime", p.Lifetime != 0}, {"profile", p.Profile != ""}, {"steps", p.Steps != 0},
	} {
		if f.said && !p.scenario.accepts(f.name) {
			return f.name
		}
	}
	return ""
}

// check returns one sentence about the first thing that makes no sense.
func (p *plan) check() error {
	if err := p.checkProtocol(); err != nil {
		return err
	}
	switch {
	case len(p.Targets) == 0 && p.Spawn == 0:
		return usagef("nothing to aim at: give --target HOST:PORT or --spawn N")
	case len(p.Targets) > 0 && p.Spawn > 0:
		return usagef("--target and --spawn exclude each other")
	case p.Spawn < 0 || p.Spawn > maxNodes:
		return usagef("--spawn: %d is not within 1 to %d", p.Spawn, maxNodes)
	case p.Spawn == 0 && (p.Timeout != 0 && !p.foreign() || p.Tick != 0 || len(p.NodeArgs) > 0):
		return usagef("--timeout, --tick and --node-arg are for spawned nodes; a target says its own terms in WELCOME")
	case p.Place != "even" && p.Place != "first":
		return usagef("--place: %q is neither even nor first", p.Place)
	case p.Conns < 1 || p.Conns > maxClients:
		return usagef("--conns: %d is not within 1 to %d", p.Conns, maxClients)
	case p.Workers < 0 || p.Workers > maxWorkers:
		return usagef("--workers: %d is not within 1 to %d", p.Workers, maxWorkers)
	case p.Workers > p.Conns:
		return usagef("--workers: %d have nothing to do with --conns %d", p.Workers, p.Conns)
	case !(p.Rate > 0 && p.Rate <= maxRate):
		return usagef("--rate: %g is not a number above 0, up to %g", p.Rate, maxRate)
	case tooLong(p.Conns, p.Rate):
		return usagef("--rate: %g brings %d clients in more than %v", p.Rate, p.Conns, maxTime)
	case p.Capacity < 0 || p.Capacity > maxRate || !finite(p.Capacity):
		return usagef("--capacity: %g is not a number above 0, up to %g", p.Capacity, maxRate)
	case p.Capacity > 0 && tooLong(p.Conns, p.Capacity):
		return usagef("--capacity: %g takes %d clients in more than %v", p.Capacity, p.Conns, maxTime)
	case p.endless() != "":
		return usagef("--%s is more than %v", p.endless(), maxTime)
	case p.Duration < 0:
		return usagef("--duration: %v is below 0", p.Duration)
	case p.Lifetime < 0:
		return usagef("--lifetime: %v is below 0", p.Lifetime)
	case p.Lifetime > 0 && p.departureRate() > maxDepartures:
		return usagef("--lifetime: %v of %d clients is more than %d departures a second", p.Lifetime, p.Conns, maxDepartures)
	case p.PongTimeout < 0:
		return usagef("--pong-timeout: %v is below 0", p.PongTimeout)
	case p.PongTimeout > maxPatience:
		return usagef("--pong-timeout: %v is more than %v", p.PongTimeout, maxPatience)
	case p.RecoveryTimeout < 0:
		return usagef("--recovery-timeout: %v is below 0", p.RecoveryTimeout)
	case p.Heartbeat < 0:
		return usagef("--heartbeat: %v is below 0", p.Heartbeat)
	case p.Tick < 0:
		return usagef("--tick: %v is below 0", p.Tick)
	case p.Spawn > 0 && p.Timeout <= p.Heartbeat:
		return usagef("--timeout: %v is not above --heartbeat %v, every client would be evicted", p.Timeout, p.Heartbeat)
	case p.Heartbeat > 0 && p.Heartbeat < codec.MinInterval:
		return usagef("--heartbeat: %v is below %v, the shortest that clients keep to", p.Heartbeat, codec.MinInterval)
	case p.Spawn > 0 && p.Timeout < codec.MinTimeout(p.Heartbeat):
		return usagef("--timeout: %v is below %v, the least for clients that speak every %v", p.Timeout, codec.MinTimeout(p.Heartbeat), p.Heartbeat)
	case !(p.Fraction >= 0 && p.Fraction <= 1): // NaN is neither
		return usagef("--fraction: %g is not within 0 to 1", p.Fraction)
	case p.misplaced() != "":
		return usagef("--%s is not for %s", p.misplaced(), p.scenario.name)
	case p.storms() && p.Kind == "":
		return usagef("%s needs --kind %s", p.scenario.name, strings.Join(stormKinds, ", "))
	case p.storms() && !slices.Contains(stormKinds, p.Kind):
		return usagef("--kind: %q is unknown; there are %s", p.Kind, strings.Join(stormKinds, ", "))
	case p.scenario.name == "demo" && p.Kind != "kill":
		return usagef("--kind %s is not for demo", p.Kind)
	case p.Kind == "flood" && p.Scenario == "phases":
		return usagef("--kind flood is a ramp of its own: it is not for phases")
	case p.storms() && slices.Contains([]string{"blackout", "restart", "grey"}, p.Kind) && p.Spawn < 1:
		return usagef("%s --kind %s strikes processes that are the run's own: it needs --spawn", p.scenario.name, p.Kind)
	case p.storms() && slices.Contains([]string{"kill", "drain", "freeze"}, p.Kind) && p.Spawn < 2:
		return usagef("%s --kind %s strikes a process that others stand in for: it needs --spawn 2 or more", p.scenario.name, p.Kind)
	case p.scenario.name != "demo" && p.storms() && p.Kind != "cut" && p.Kind != "flood" && p.Fraction != 0:
		return usagef("--fraction is not for --kind %s", p.Kind)
	case p.Kind != "freeze" && p.Freeze != 0:
		return usagef("--freeze is for --kind freeze")
	case p.Kind != "blackout" && p.Kind != "grey" && p.Outage != 0:
		return usagef("--outage is for --kind blackout and grey")
	case p.Outage < 0:
		return usagef("--outage: %v is below 0", p.Outage)
	case p.Slow != "" && (!slices.Contains([]string{"kill", "flood", "grey"}, p.Kind) || p.Spawn == 0):
		return usagef("--slow is for spawned nodes, and for --kind kill, flood and grey")
	case p.floods() && (p.baseline() < 1 || p.baseline() >= p.Conns):
		return usagef("--fraction: %g of %d clients leaves nobody before the flood, or nobody in it", p.Fraction, p.Conns)
	case (p.floods() || p.Kind == "blackout" || p.Kind == "grey") && p.Probes > 0:
		return usagef("--probes is not for --kind %s: %s", p.Kind, map[bool]string{true: "those that are in before it are its probes", false: "it leaves nobody alone"}[p.floods()])
	case !(p.Probes <= 1):
		return usagef("--probes: %g is not a share from 0 to 1", p.Probes)
	case p.Deadline < 0:
		return usagef("--deadline: %v is below 0", p.Deadline)
	case p.TrickleInterval < 0:
		return usagef("--trickle-interval: %v is below 0", p.TrickleInterval)
	case p.Trickle != "" && !slices.Contains(trickled, p.Trickle):
		return usagef("--trickle: %q is unknown; there are %s", p.Trickle, strings.Join(trickled, ", "))
	case p.scenario.name == "trickle" && p.undecided():
		shortest, _ := p.trickleTime()
		return usagef("--trickle-interval: %v makes %v of a %s, too close to the deadline of %v to promise anything", p.TrickleInterval, shortest, p.Trickle, p.Deadline)
	case slices.Contains([]string{"silent", "halfopen", "trickle"}, p.scenario.name) && silentCount(&p.Config) < 1,
		p.scenario.name == "storm" && p.Kind == "cut" && p.cutCount() < 1:
		return usagef("--fraction: %g of %d clients is nobody", p.Fraction, p.Conns)
	case p.Freeze < 0:
		return usagef("--freeze: %v is below 0", p.Freeze)
	}
	if err := checkProfile(p.Profile, p.Steps); err != nil {
		return usagef("--%w", err)
	}
	if err := p.checkPhases(); err != nil {
		return err
	}
	if err := p.checkFindMax(); err != nil {
		return err
	}
	if err := p.checkObserved(); err != nil {
		return err
	}
	for _, arg := range p.NodeArgs {
		if name, _, ok := strings.Cut(arg, "="); !ok || name == "" || strings.HasPrefix(name, "-") {
			return usagef("--node-arg: %q is not NAME=VALUE", arg)
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

	maxDepartures = 1_000_000 // sessions a second that end by BYE
)

// tooLong says whether so many clients at a rate take longer than maxTime.
func tooLong(clients int, rate float64) bool { return float64(clients)/rate > maxTime.Seconds() }

// endless names the first time that is longer than maxTime.
func (p *plan) endless() string {
	for _, f := range []struct {
		name string
		time time.Duration
	}{
		{"duration", p.Duration}, {"lifetime", p.Lifetime}, {"heartbeat", p.Heartbeat}, {"timeout", p.Timeout},
		{"tick", p.Tick}, {"pong-timeout", p.PongTimeout}, {"freeze", p.Freeze}, {"recovery-timeout", p.RecoveryTimeout},
		{"deadline", p.Deadline}, {"trickle-interval", p.TrickleInterval}, {"outage", p.Outage},
	} {
		if f.time > maxTime {
			return f.name
		}
	}
	return ""
}

// checkProfile returns one sentence about the shape of a ramp that makes no sense.
func checkProfile(profile string, steps int) error {
	switch {
	case profile != "" && !slices.Contains(profiles, profile):
		return fmt.Errorf("profile: %q is unknown; there are %s", profile, strings.Join(profiles, ", "))
	case steps < 0 || steps > 1000:
		return fmt.Errorf("steps: %d is not within 1 to 1000", steps)
	case steps != 0 && profile != "step":
		return fmt.Errorf("steps are for the profile step")
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
