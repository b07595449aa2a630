package bench

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/token"
)

// Config says what to run. Zero means the default; scenarios have defaults of their own,
// which hold where neither is said otherwise.
type Config struct {
	Scenario string

	// Targets are "host:port"; a name stands for all its addresses, each a target of its own.
	// Either they or Spawn are given.
	Targets []string
	// IgnoreAlternates keeps clients to the targets, whatever servers name.
	IgnoreAlternates bool
	// PIDs and Admins are, for each of the Targets in their order, its process on this
	// machine and the HOST:PORT where GET /stats answers. Either may be shorter.
	PIDs   []int
	Admins []string
	// Spawn is how many `stormwheel serve` children to start and to aim at.
	Spawn int
	// NodeArgs are "name=value", passed to the children as --name=value.
	NodeArgs []string
	// NodeCommand starts a child; the flags of `serve` are appended. Default: this
	// program's `serve`.
	NodeCommand []string

	// AuthSecretFile holds the secret of which the clients' tokens are made (server.MintToken);
	// spawned nodes ask for them. Default: no tokens.
	AuthSecretFile string

	// Protocol is what Targets speak: "stormwheel" (default), "tcp-echo" or "mqtt" (3.1.1).
	Protocol string
	Username string // mqtt; default: none
	Password string // mqtt; default: none

	Place string  // "even" (default) over the targets, or all on the "first"
	Conns int     // clients; default 1000
	Rate  float64 // connects per second, open loop; default 1000, in a flood all within a second

	Goal string // find-max: a threshold
	Vary string // find-max: "conns" (default), up to Conns, or "rate", up to Rate

	// Phases are those of the scenario "phases".
	Phases []PhaseSpec

	Profile string // ramp: "linear" (default), "step" or "poisson"
	Steps   int    // ramp: plateaus of "step", up to Rate; default 5

	// Duration is how long churn goes on, default 30 s (soak: 10 min), and hold holds, default 30 s or longer if a
	// heartbeat and the patience for its answer need it; in the others the steady time before the
	// blow, default one heartbeat.
	Duration time.Duration

	Lifetime time.Duration // churn, soak: mean length of a session; default 10 s, soak: 1 min

	Heartbeat time.Duration // of the spawned nodes, default 30 s; with Targets, of the clients
	Timeout   time.Duration // of the spawned nodes, default 2.5 heartbeats; of a tcp-echo server, default none
	Tick      time.Duration // of the spawned nodes; default 250 ms

	PongTimeout time.Duration // the clients' patience; default 10 s
	Policy      string        // what clients do after a loss; default "window"

	Kind            string        // storm: "kill", "drain", "cut", "freeze", "blackout", "restart", "flood" or "grey"
	Cohorts         string        // storm: "full:50%,fixed:50%" instead of Policy
	Freeze          time.Duration // storm freeze: for how long; default: until every client has noticed, and 5 s
	Outage          time.Duration // storm blackout: how long no node runs, default 15 s; grey: how long they are slow, default 30 s
	RecoveryTimeout time.Duration // storm: when to stop waiting for returns; default 60 s
	// Slow makes spawned nodes slow while a storm of the kinds kill and flood goes on: "1ms/150ms"
	// stops each for the second of these after it ran for the first. Default: they run all the time.
	Slow string
	// Probes is the share of the clients that a scenario does not touch and that are measured
	// apart. Default 0.02, and ten at least of 500 clients; negative: none.
	Probes float64

	Deadline        time.Duration // halfopen, trickle: of the server; default 5 s, for PINGs 10 s
	Trickle         string        // "hello" (default) or "ping": what goes out byte by byte
	TrickleInterval time.Duration // between two bytes; default 200 ms

	// Fraction is the share of the clients that a scenario has misbehave, default 0.1 for
	// silent, 0.5 for halfopen and trickle; in a cut, the share of connections that break, default: all to the first target; in a
	// flood, the share of clients that are in before, default 0.1.
	Fraction float64
	Capacity float64 // what the receivers admit per second; default: known for spawned nodes

	// Workers are the processes that share the clients. 0: as many as the descriptors of a
	// process ask for; 1: this process has them all.
	Workers int
	// WorkerCommand starts one, which must call Work. Default: this program's `bench-worker`.
	WorkerCommand []string

	Sources       string    // "127.0.0.2-127.0.0.50"; default: as many as the ports require
	Seed          uint64    // default: from the clock
	StartAt       time.Time // of the first arrival; zero: when all is ready
	Thresholds    []string  // beyond what the scenario promises
	NoPromises    bool      // judges Thresholds alone
	IOwnTheTarget bool      // allows a target that is not loopback
	Version       string
	Command       []string // the words that started the run, for the result

	// lateLimit is the generator lateness, p99, up to which figures count. Default 20 ms;
	// tests that share the machine with others widen it.
	lateLimit time.Duration
}

// defaultPatience is how long a client waits for a PONG unless told otherwise.
const defaultPatience = 10 * time.Second

// defaultAdmitRate is what a node admits per second unless told otherwise (`serve
// --admit-rate`).
const defaultAdmitRate = 2000

// plan is a Config that has been found possible.
type plan struct {
	Config
	scenario   *scenario
	secret     []byte // that of AuthSecretFile
	slow       duty
	policy     link.Policy
	cohorts    []cohort
	thresholds []Threshold
	endpoints  []netip.AddrPort // empty until nodes are spawned
	sources    []netip.Addr
	notes      []string // of what names lead to
}

// prepare fills, checks and resolves. Its errors are ExitErrors.
func prepare(ctx context.Context, c Config) (*plan, error) {
	p := &plan{Config: c}
	if p.scenario = scenarioNamed(c.Scenario); p.scenario == nil {
		return nil, usagef("no scenario %q; there are %s", c.Scenario, scenarioNames())
	}
	if p.scenario.defaults != nil {
		p.scenario.defaults(&p.Config)
	}
	err := p.expand(ctx)
	if err != nil {
		return nil, err
	}
	p.fill()
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.AuthSecretFile != "" {
		if p.secret, err = token.ReadSecret(p.AuthSecretFile); err != nil {
			return nil, usagef("--auth-secret-file: %w", err)
		}
	}
	if p.slow, err = parseDuty(p.Slow); err != nil {
		return nil, err
	}
	if p.policy, err = link.ParsePolicy(p.Policy); err != nil {
		return nil, usagef("--policy: %q is unknown: window, full, equal, decorrelated, fixed or exponential", p.Policy)
	}
	if p.Cohorts != "" {
		if p.cohorts, err = parseCohorts(p.Cohorts); err != nil {
			return nil, err
		}
		p.Policy = p.Cohorts
	}
	var promises []string
	if !p.NoPromises {
		promises = append(p.scenario.promises(&p.Config), probePromises(&p.Config)...)
	}
	if p.thresholds, err = thresholdsOf(promises, p.Thresholds); err != nil {
		return nil, err
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	if err := p.preflight(descriptorLimit(), localPorts()); err != nil {
		return p, err
	}
	return p, p.fits(readLimits())
}

func (p *plan) fill() {
	fill(&p.Place, "even")
	fill(&p.Protocol, protocolOwn)
	if p.foreign() && p.Spawn == 0 {
		fill(&p.Heartbeat, 30*time.Second)
	}
	fill(&p.lateLimit, 20*time.Millisecond)
	fill(&p.Conns, 1000)
	if p.floods() {
		fill(&p.Fraction, floodBaseline)
		fill(&p.Rate, float64(max(p.Conns-p.baseline(), 1)))
	}
	fill(&p.Rate, 1000)
	if p.Profile == "step" {
		fill(&p.Steps, defaultSteps)
	}
	fill(&p.PongTimeout, defaultPatience)
	fill(&p.Policy, link.Window.String())
	fill(&p.RecoveryTimeout, time.Minute)
	fill(&p.Seed, uint64(time.Now().UnixNano())%1e9+1)
	if p.Spawn > 0 {
		fill(&p.Heartbeat, 30*time.Second)
		fill(&p.Timeout, p.Heartbeat*5/2)
		fill(&p.Tick, 250*time.Millisecond)
	}
	if _, said := p.nodeArg("drain-grace"); (p.drains() || p.Kind == "restart") && p.Spawn > 0 && !said {
		p.NodeArgs = append([]string{"drain-grace=" + drainGrace.String()}, p.NodeArgs...)
	}
	if p.Kind == "freeze" {
		fill(&p.Freeze, p.noticeTime()+freezeSlack)
	}
	switch p.Kind {
	case "blackout":
		fill(&p.Outage, defaultOutage)
	case "grey":
		fill(&p.Outage, defaultGreyTime)
		fill(&p.Slow, defaultGrey)
	}
	if receivers := p.receivers(); p.Capacity == 0 && receivers > 0 {
		p.Capacity = p.admitRate() * float64(receivers)
	}
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// storms reports whether a node is struck, or the connections to it.
func (c *Config) storms() bool {
	return c.Scenario == "storm" || c.Scenario == "demo" || c.has("storm")
}

// receivers are the spawned nodes that take the clients of a storm: all but the one that is
// struck, or all if they come back, or if none is. Where connections break, their clients take it for the node's fault, and go to
// another if there is one.
func (p *plan) receivers() int {
	if p.alone() || p.floods() || p.Kind == "cut" && (p.Spawn == 1 || p.Fraction > 0) {
		return p.Spawn
	}
	return max(p.Spawn-1, 0)
}

// admitRate is what one spawned node admits per second.
func (p *plan) admitRate() float64 { return p.nodeRate("admit-rate", defaultAdmitRate) }

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
		{"deadline", p.Deadline}, {"trickle-interval", p.TrickleInterval},
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

// resolve turns targets, which are addresses by now, and sources into addresses.
func (p *plan) resolve() error {
	for _, t := range p.Targets {
		host, port, err := net.SplitHostPort(t)
		if err != nil {
			return usagef("--target: %q is not HOST:PORT", t)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return usagef("--target: %q has no port", t)
		}
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return usagef("--target: %q is not HOST:PORT", t)
		}
		addr = addr.Unmap()
		if !addr.IsLoopback() && !p.IOwnTheTarget {
			return usagef("--target: %s is not loopback; a load test may harm it: say --i-own-this-target if you do", t)
		}
		p.endpoints = append(p.endpoints, netip.AddrPortFrom(addr, uint16(n)))
	}
	if p.Sources != "" {
		var err error
		if p.sources, err = parseSources(p.Sources); err != nil {
			return &ExitError{Code: ExitUsage, Err: fmt.Errorf("--source: %w", err)}
		}
		if err := checkSources(p.sources); err != nil {
			return &ExitError{Code: ExitUsage, Err: fmt.Errorf("--source: %w", err)}
		}
		return nil
	}
	for _, e := range p.endpoints {
		if !e.Addr().IsLoopback() || !e.Addr().Is4() {
			return nil // the kernel knows which address leads there
		}
	}
	p.sources = loopbackSources(p.Conns+p.lingering(), localPorts())
	return nil
}
