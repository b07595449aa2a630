package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// View is where a run shows itself. The zero View shows nothing.
type View struct {
	Progress io.Writer // a line a second, and what happens
	CSV      io.Writer // a row a second
	// Watch is told of every second and event, by several goroutines, one at a time. It must
	// not block: the run waits for it.
	Watch func(Update)
}

// runner is one run under way. A scenario uses its methods; what the once-a-second monitor
// shares with them is guarded by mu.
type runner struct {
	plan  *plan
	fleet *fleet
	nodes []*node

	cutBy            string         // how a cut was made
	ghostless        *time.Duration // from when on no sample has shown a ghost; nil: the latest did
	ghostsGone       *time.Duration // since a cut or a thaw
	drained          *time.Duration // since the node was asked to end
	soakFrom, soakTo time.Duration
	view             *display

	telling sync.Mutex // one call of watch at a time
	watch   func(Update)
	cpu     time.Duration // that this process had taken before
	sofar   *recents      // owned by the monitor

	mu      sync.Mutex
	phase   Phase
	phases  []PhaseSeen
	servers []Server
	seconds []Second
	outage  *time.Duration // from t0 until a receiver could accept, where there was none

	observers []observer // of the servers, in their order
}

// Check says whether Run would begin cfg here, without doing so. The error is an ExitError.
func Check(ctx context.Context, cfg Config) error {
	_, err := prepare(ctx, cfg)
	return err
}

// Run runs cfg.Scenario to its end, or until ctx is cancelled, and leaves no process and
// no socket behind. The error is an *ExitError unless all went well; a Result comes with
// it if the run had begun.
func Run(ctx context.Context, cfg Config, view View) (*Result, error) {
	p, err := prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if p.scenario.run == nil {
		return findMax(ctx, cfg, p, view)
	}
	interrupt := ctx // its end is the user's wish; that of ctx may also be a node's death
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &runner{plan: p}
	if p.Spawn > 0 {
		err = r.spawn(ctx, cancel)
	} else {
		err = findServer(ctx, p.endpoints)
	}
	switch {
	case err != nil && interrupt.Err() != nil:
		return nil, &ExitError{Code: ExitInterrupted, Err: errors.New("interrupted before it began")}
	case err != nil:
		return nil, &ExitError{Code: ExitCode(err), Err: err}
	}
	defer stopNodes(r.nodes)
	if err := r.listServers(ctx); err != nil {
		return nil, &ExitError{Code: ExitOther, Err: err}
	}
	command, err := commandOr(p.WorkerCommand, "bench-worker")
	if err != nil {
		return nil, &ExitError{Code: ExitOther, Err: err}
	}
	r.fleet, err = newFleet(p.clients(), p.Workers, child.Program{Argv: command, Crowded: p.crowded()})
	if err != nil {
		return nil, &ExitError{Code: ExitOther, Err: err}
	}
	defer r.fleet.close()
	if err := r.awaitStart(ctx); err != nil {
		if interrupt.Err() != nil {
			err = &ExitError{Code: ExitInterrupted, Err: errors.New("interrupted before it began")}
		}
		return nil, err
	}
	result, err := r.measure(ctx, view)
	switch {
	case err != nil && interrupt.Err() == nil:
		return result, &ExitError{Code: ExitOther, Err: err}
	default:
		return result, exitOf(result)
	}
}

// crowded says whether the run's processes are many for this machine.
func (p *plan) crowded() bool { return child.Crowded(p.Spawn + p.Workers) }

// told: clients come when a phase has them come.
func (p *plan) told() bool { return p.Scenario == "phases" || p.floods() }

// misbehaving is how many clients do from the start what the scenario is named for.
func (p *plan) misbehaving(scenario string) int {
	if p.scenario.name != scenario {
		return 0
	}
	return silentCount(&p.Config)
}

// clients is what the swarms are told.
func (p *plan) clients() swarmConfig {
	return swarmConfig{
		Endpoints: p.endpoints, Sources: p.sources, PlaceAll: p.Place == "first",
		Conns: p.Conns, Rate: p.Rate, Profile: p.Profile, Steps: p.Steps, Lifetime: p.Lifetime, Told: p.told(), Seed: p.Seed, Policy: p.policy,
		Cohorts: p.cohorts, Probes: p.probeCount(), ProbesFirst: p.floods(), ProbeInterval: p.probeBeat(),
		HalfOpen: p.misbehaving("halfopen"), Tricklers: p.misbehaving("trickle"), TooSlow: p.TrickleInterval > 0 && p.tooSlow(),
		TrickleInterval: p.TrickleInterval, TricklePings: p.Trickle == "ping", Deadline: p.Deadline,
		Interval: p.clientInterval(), PongTimeout: p.PongTimeout, AnyAddress: p.IOwnTheTarget,
		Protocol: p.Protocol, Timeout: p.Timeout, Username: p.Username, Password: p.Password,
		Secret: p.secret, IgnoreAlternates: p.IgnoreAlternates,
	}
}

// clientInterval: spawned nodes say --heartbeat themselves; to a foreign target it is the
// clients' own.
func (p *plan) clientInterval() time.Duration {
	if p.Spawn > 0 {
		return 0
	}
	return p.Heartbeat
}

func (r *runner) spawn(ctx context.Context, cancel context.CancelCauseFunc) error {
	p := r.plan
	command, err := commandOr(p.NodeCommand, "serve")
	if err != nil {
		return err
	}
	args := []string{"--heartbeat", p.Heartbeat.String(), "--timeout", p.Timeout.String(), "--tick", p.Tick.String()}
	if p.Spawn > 2 {
		// The default takes one node for the receiver; here all but one are.
		args = append(args, "--failover-rate", strconv.FormatFloat(p.Capacity, 'f', -1, 64))
	}
	if p.AuthSecretFile != "" {
		args = append(args, "--auth-secret-file", p.AuthSecretFile)
	}
	for _, a := range p.NodeArgs {
		args = append(args, "--"+a) // the later one holds
	}
	r.nodes, err = spawnNodes(ctx, child.Program{Argv: command, Crowded: p.crowded()}, p.Spawn, args, func(n *node) {
		cancel(fmt.Errorf("node %s (pid %d) died unasked: %w%s", n.name, n.PID, n.How(), n.LastWords()))
	})
	if err != nil {
		return err
	}
	for _, n := range r.nodes {
		addr, err := netip.ParseAddrPort(n.addr)
		if err != nil {
			stopNodes(r.nodes)
			return err
		}
		p.endpoints = append(p.endpoints, addr)
	}
	if p.Sources == "" {
		p.sources = loopbackSources(p.Conns+p.lingering(), machine.LocalPorts())
	}
	return nil
}

// commandOr is command, or this program's own of that name.
func commandOr(command []string, name string) ([]string, error) {
	if len(command) > 0 {
		return command, nil
	}
	self, err := os.Executable()
	return []string{self, name}, err
}

// measure runs the scenario and fills the result.
func (r *runner) measure(ctx context.Context, view View) (*Result, error) {
	// A measuring instrument that waits for its turn measures the queue. The nodes run
	// already, and keep theirs.
	defer machine.Hurry()()
	kernel, held := proc.NetCounters(), proc.KernelMemory()
	use, useErr := proc.Process(os.Getpid())
	r.begin()
	r.cpu = use.CPU()
	r.view, r.watch, r.sofar = newDisplay(view, r.plan), view.Watch, newRecents()
	r.fleet.Start()
	started := time.Now().Add(-r.fleet.Now())
	r.say("%s: %d clients, %.0f connects per second, seed %d", r.plan.Scenario, r.plan.Conns, r.plan.Rate, r.plan.Seed)
	for _, note := range r.plan.notes {
		r.say("%s", note)
	}
	if note := r.plan.keepaliveNote(); note != "" {
		r.say("%s", note)
	}

	monitored := make(chan struct{})
	monitorCtx, stopMonitor := context.WithCancel(context.Background())
	go func() { defer close(monitored); r.monitor(monitorCtx) }()
	scenarioErr := r.plan.scenario.run(ctx, r)
	if scenarioErr == nil {
		scenarioErr = r.awaitAnswers(ctx)
	}
	wall := time.Since(started)
	r.enter("end", 0)
	stopMonitor()
	<-monitored
	r.sampleServers(context.WithoutCancel(ctx))
	now, nowErr := proc.Process(os.Getpid())
	holding := proc.KernelMemory()
	workers := r.fleet.use()
	t := r.fleet.Finish()
	viewErr := r.view.close()

	result := r.result(&t)
	if n, known := r.countGhosts(t.Ready); known {
		result.Conns.Ghosts = &n
	}
	result.Started, result.WallS = started.UTC(), wall.Seconds()
	result.Kernel = countedSince(kernel, proc.NetCounters())
	if useErr == nil && nowErr == nil {
		result.Generator.RSSBytes = new(now.Resident + workers.Resident)
		result.Generator.CPUS = new((now.CPU() - use.CPU() + workers.CPU()).Seconds())
	}
	result.Memory = result.memory(held, holding)
	result.Interrupted = scenarioErr != nil
	var detailErr error
	result.Detail, detailErr = r.detail(&t)
	return result, errors.Join(scenarioErr, viewErr, detailErr, result.judge(r.plan.thresholds, r.plan.lateLimit))
}

func (r *runner) markKilled(victim *node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, n := range r.nodes {
		if n == victim {
			r.servers[i].Killed = true
		}
	}
}
