package bench

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// runner is one run under way: the stage on which its scenario plays, and those who watch.
type runner struct {
	*Stage
	display *display
	cpu     time.Duration // that this process had taken before
	sofar   *recents      // owned by the monitor

	telling sync.Mutex // one call of watch at a time
	watch   func(Update)

	mu      sync.Mutex // of what the monitor and the scenario both use
	phase   Phase
	phases  []PhaseSeen
	seconds []Second
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
	if _, searches := p.scenario.(FindMaximum); searches {
		return findMax(ctx, cfg, p, view)
	}
	return play(ctx, p, view)
}

// play runs a scenario once.
func play(ctx context.Context, p *plan, view View) (*Result, error) {
	interrupt := ctx // its end is the user's wish; that of ctx may also be a node's death
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	servers, err := p.aim(ctx, cancel)
	switch {
	case err != nil && interrupt.Err() != nil:
		return nil, errTooSoon
	case err != nil:
		return nil, &ExitError{Code: ExitCode(err), Err: err}
	}
	defer servers.stop()
	command, err := commandOr(p.WorkerCommand, "bench-worker")
	if err != nil {
		return nil, &ExitError{Code: ExitOther, Err: err}
	}
	clients, err := newFleet(p.swarm(), p.Workers, child.Program{Argv: command, Crowded: p.crowded()})
	if err != nil {
		return nil, &ExitError{Code: ExitOther, Err: err}
	}
	defer clients.close()
	if err := awaitStart(ctx, p); err != nil {
		if interrupt.Err() != nil {
			err = errTooSoon
		}
		return nil, err
	}
	r := newRunner(p, clients, servers, view)
	result, err := r.measure(ctx)
	switch {
	case err != nil && interrupt.Err() == nil:
		return result, &ExitError{Code: ExitOther, Err: err}
	default:
		return result, exitOf(result)
	}
}

var errTooSoon = &ExitError{Code: ExitInterrupted, Err: errors.New("interrupted before it began")}

func newRunner(p *plan, clients *fleet, servers *servers, view View) *runner {
	r := &runner{Stage: &Stage{plan: p, clients: clients, servers: servers},
		display: newDisplay(view, p.Conns), watch: view.Watch, sofar: newRecents()}
	r.say, r.enter = r.tellEvent, r.begin
	return r
}

// measure runs the scenario and fills the result.
func (r *runner) measure(ctx context.Context) (*Result, error) {
	// A measuring instrument that waits for its turn measures the queue. The nodes run
	// already, and keep theirs.
	defer machine.Hurry()()
	before := readCost()
	r.cpu = before.own.CPU()
	r.servers.begin()
	r.clients.Start()
	started := time.Now().Add(-r.clients.Now())
	r.introduce()

	monitored := make(chan struct{})
	monitorCtx, stopMonitor := context.WithCancel(context.Background())
	go func() { defer close(monitored); r.monitor(monitorCtx) }()
	scenarioErr := r.scenario.Play(ctx, r.Stage)
	if scenarioErr == nil {
		scenarioErr = r.awaitAnswers(ctx)
	}
	wall := time.Since(started)
	r.enter("end", 0)
	stopMonitor()
	<-monitored
	r.servers.sample(context.WithoutCancel(ctx))
	after := readCost()
	workers := r.clients.use()
	t := r.clients.Finish()
	viewErr := r.display.close()

	result := r.result(&t)
	if n, known := r.servers.ghosts(t.Ready); known {
		result.Conns.Ghosts = &n
	}
	result.Started, result.WallS = started.UTC(), wall.Seconds()
	after.since(before, workers, result)
	result.Interrupted = scenarioErr != nil
	var detailErr error
	result.Detail, detailErr = r.detail(&t)
	return result, errors.Join(scenarioErr, viewErr, detailErr, result.judge(r.thresholds, r.LateLimit))
}

// introduce says what begins.
func (r *runner) introduce() {
	r.say("%s: %d clients, %.0f connects per second, seed %d", r.Scenario, r.Conns, r.Rate, r.Seed)
	for _, note := range r.notes {
		r.say("%s", note)
	}
	if note := r.keepaliveNote(); note != "" {
		r.say("%s", note)
	}
}
