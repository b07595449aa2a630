package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/machine"
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
	if _, err = thresholdsOf(nil, p.Thresholds); err != nil {
		return nil, err
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	limits := machine.Read()
	if err := p.preflight(int(limits.Descriptors), machine.LocalPorts()); err != nil {
		return p, err
	}
	if err := p.fits(limits); err != nil {
		return p, err
	}
	var promises []string // some are counted client by client: not for more than there can be
	if !p.NoPromises {
		promises = append(p.scenario.promises(&p.Config), probePromises(&p.Config)...)
	}
	p.thresholds, err = thresholdsOf(promises, p.Thresholds)
	return p, err
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
	p.sources = loopbackSources(p.Conns+p.lingering(), machine.LocalPorts())
	return nil
}
