package scenario

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scrape"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/token"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// defaultPatience is how long a client waits for a PONG unless told otherwise.
const defaultPatience = 10 * time.Second

// Plan is a Config that has been found possible.
type Plan struct {
	Config
	Plays  Scenario
	Judged []result.Threshold // what is promised, and what was asked for
	Aborts *result.Aborts     // what ends the run before its time
	Notes  []string           // of what names lead to

	secret    []byte // that of AuthSecretFile
	scrapes   []scrape.Chosen
	slow      nodes.Duty
	policy    link.Policy
	cohorts   []swarm.Cohort
	endpoints []netip.AddrPort // empty until nodes are spawned
	sockets   []string         // targets that are unix sockets; there are no others then
	sources   []netip.Addr
	way       transport.Way
	secure    *swarm.TLS // nil: there is none
}

// Prepare fills, checks and resolves. Its errors are ExitErrors.
func Prepare(ctx context.Context, c Config) (*Plan, error) {
	p := &Plan{Config: c}
	if p.Plays = Named(c.Scenario); p.Plays == nil {
		return nil, result.Usage("no scenario %q; there are %s", c.Scenario, scenarioNames())
	}
	p.Plays.Defaults(&p.Config)
	if err := p.carry(); err != nil {
		return nil, err
	}
	if err := p.expand(ctx); err != nil {
		return nil, err
	}
	p.complete()
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := p.parse(); err != nil {
		return nil, err
	}
	if err := p.readRules(); err != nil {
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
		promises = slices.Concat(p.Plays.Promises(&p.Config), messagePromises(&p.Config), probePromises(&p.Config))
	}
	var err error
	if p.Judged, err = result.ReadThresholds(promises, p.Thresholds); err != nil {
		return p, err
	}
	return p, p.checkScraped()
}

// parse reads what is said in a form of its own.
func (p *Plan) parse() (err error) {
	if p.AuthSecretFile != "" {
		secrets, err := token.ReadSecrets(p.AuthSecretFile)
		if err != nil {
			return result.Usage("--auth-secret-file: %w", err)
		}
		p.secret = secrets[0]
	}
	if err := p.parseScrapes(); err != nil {
		return err
	}
	if p.slow, err = nodes.ParseDuty(p.Slow); err != nil {
		return err
	}
	if p.policy, err = link.ParsePolicy(p.Policy); err != nil {
		return result.Usage("--policy: %q is unknown: window, full, equal, decorrelated, fixed or exponential", p.Policy)
	}
	if p.Cohorts != "" {
		if p.cohorts, err = parseCohorts(p.Cohorts); err != nil {
			return err
		}
		p.Policy = p.Cohorts
	}
	return nil
}

// complete has the defaults of all scenarios, after those of its own.
func (c *Config) complete() {
	fill(&c.Place, "even")
	fill(&c.Protocol, foreign.Own)
	if c.foreign() && c.Spawn == 0 {
		fill(&c.Heartbeat, 30*time.Second)
	}
	fill(&c.LateLimit, 20*time.Millisecond)
	fill(&c.Conns, 1000)
	if c.floods() {
		fill(&c.Fraction, floodBaseline)
		fill(&c.Rate, float64(max(c.Conns-c.baseline(), 1)))
	}
	fill(&c.Rate, 1000)
	if c.Profile == "step" {
		fill(&c.Steps, swarm.DefaultSteps)
	}
	fill(&c.PongTimeout, defaultPatience)
	if c.carries() {
		fill(&c.Every, defaultEvery)
	}
	fill(&c.Policy, link.Window.String())
	fill(&c.RecoveryTimeout, time.Minute)
	fill(&c.Seed, uint64(time.Now().UnixNano())%1e9+1)
	if c.Spawn > 0 {
		fill(&c.Heartbeat, 30*time.Second)
		if c.Protocol != foreign.MQTT { // whose keepalive says it
			fill(&c.Timeout, c.Heartbeat*5/2)
		}
		fill(&c.Tick, 250*time.Millisecond)
	}
	c.fillStorm()
	if receivers := c.receivers(); c.Capacity == 0 && receivers > 0 {
		c.Capacity = c.admitRate() * float64(receivers)
	}
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// resolve turns targets, which are addresses by now, and sources into addresses.
func (p *Plan) resolve() error {
	for _, t := range p.Targets {
		if network, _ := transport.Network(t); network == "unix" {
			p.sockets = append(p.sockets, t)
			continue
		}
		host, port, err := net.SplitHostPort(t)
		if err != nil {
			return result.Usage("--target: %q is not HOST:PORT", t)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return result.Usage("--target: %q has no port", t)
		}
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return result.Usage("--target: %q is not HOST:PORT", t)
		}
		addr = addr.Unmap()
		if !addr.IsLoopback() && !p.IOwnTheTarget {
			return result.Usage("--target: %s is not loopback; a load test may harm it: say --i-own-this-target if you do", t)
		}
		p.endpoints = append(p.endpoints, netip.AddrPortFrom(addr, uint16(n)))
	}
	if len(p.sockets) > 0 && (len(p.endpoints) > 0 || p.Sources != "") {
		return result.Usage("--target: a unix socket goes with others of its kind only, and without --source")
	}
	if p.Sources != "" {
		var err error
		if p.sources, err = parseSources(p.Sources); err != nil {
			return &result.ExitError{Code: result.ExitUsage, Err: fmt.Errorf("--source: %w", err)}
		}
		if err := checkSources(p.sources); err != nil {
			return &result.ExitError{Code: result.ExitUsage, Err: fmt.Errorf("--source: %w", err)}
		}
		return nil
	}
	if len(p.sockets) > 0 {
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
