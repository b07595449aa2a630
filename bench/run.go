package bench

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/fleet"
	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
	"github.com/stormwheel/stormwheel/bench/scrape"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// Config says what to run.
type Config = scenario.Config

// Work is the main of a worker process, which takes its orders from in and answers on out.
func Work(in io.Reader, out io.Writer) error { return fleet.Work(in, out) }

// runner is one run under way: the stage on which its scenario plays, and those who watch.
type runner struct {
	*scenario.Stage
	display *display
	cpu     time.Duration           // that this process had taken before
	spent   spent                   // of processors, up to the latest second
	end     context.CancelCauseFunc // of the run, before its time
	scraped []*scrape.Target        // what is read of the servers' own metrics

	// Of the monitor, and of measure when that has ended.
	sofar     *tally.Recent
	forecast  *result.Forecast
	counted   time.Duration  // when the latest second ended
	before    tally.Counters // by then
	lost      int            // workers that were told of
	unwritten error          // of the first second that could not be written down

	telling sync.Mutex // one call of watch at a time
	watch   func(Update)

	mu      sync.Mutex // of what the monitor and the scenario both use
	phase   Phase
	phases  []result.PhaseSeen
	events  []result.Event
	seconds []result.Second
}

// Check says whether Run would begin cfg here, without doing so. The error is an ExitError.
func Check(ctx context.Context, cfg Config) error {
	_, err := scenario.Prepare(ctx, cfg)
	return err
}

// Run runs cfg.Scenario to its end, or until ctx is cancelled, and leaves no process and
// no socket behind. The error is an *ExitError unless all went well; a Result comes with
// it if the run had begun.
func Run(ctx context.Context, cfg Config, view View) (*result.Result, error) {
	p, err := scenario.Prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if p.Capacity == scenario.SearchCapacity {
		if cfg.Capacity, err = searchCapacity(ctx, cfg, p, view); err != nil {
			return nil, err
		}
		p.Capacity = cfg.Capacity
	}
	if p.Repeat > 1 {
		return repeat(ctx, cfg, p, view)
	}
	if _, searches := p.Plays.(scenario.FindMax); searches {
		return findMax(ctx, cfg, p, view)
	}
	return play(ctx, p, view)
}

// play runs a scenario once.
func play(ctx context.Context, p *scenario.Plan, view View) (*result.Result, error) {
	interrupt := ctx // its end is the user's wish; that of ctx may also be a node's death
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	servers, err := p.Aim(ctx, cancel)
	switch {
	case err != nil && interrupt.Err() != nil:
		return nil, errTooSoon
	case err != nil:
		return nil, &result.ExitError{Code: result.ExitCode(err), Err: err}
	}
	defer servers.Stop()
	command, err := child.Own(p.WorkerCommand, "bench-worker")
	if err != nil {
		return nil, &result.ExitError{Code: result.ExitOther, Err: err}
	}
	scraped, err := p.OpenScrapes(ctx, servers)
	if err != nil {
		return nil, err
	}
	clients, err := fleet.New(p.Swarm(), p.Workers, child.Program{Argv: command, Crowded: p.Crowded()})
	if err != nil {
		return nil, &result.ExitError{Code: result.ExitOther, Err: err}
	}
	defer clients.Close()
	if err := awaitStart(ctx, p); err != nil {
		if interrupt.Err() != nil {
			err = errTooSoon
		}
		return nil, err
	}
	r := newRunner(p, clients, servers, view)
	r.end, r.scraped = cancel, scraped
	out, err := r.measure(ctx, interrupt)
	switch {
	case err != nil && interrupt.Err() == nil:
		return out, &result.ExitError{Code: result.ExitOther, Err: err}
	default:
		return out, out.Err()
	}
}

var errTooSoon = &result.ExitError{Code: result.ExitInterrupted, Err: errors.New("interrupted before it began")}

func newRunner(p *scenario.Plan, clients *fleet.Fleet, servers *nodes.Servers, view View) *runner {
	r := &runner{Stage: &scenario.Stage{Plan: p, Clients: clients, Servers: servers},
		display: newDisplay(view, p.Conns), watch: view.Watch, sofar: tally.NewRecent(), forecast: result.NewForecast(p.Judged)}
	r.Say, r.Enter, r.Note = r.tellEvent, r.begin, r.note
	return r
}

// measure runs the scenario and fills the result. The end of interrupt is the user's wish.
func (r *runner) measure(ctx, interrupt context.Context) (*result.Result, error) {
	// A measuring instrument that waits for its turn measures the queue. The nodes run
	// already, and keep theirs.
	defer machine.Hurry()()
	before := readCost()
	r.cpu = before.own.CPU()
	r.spent = r.readSpent()
	r.Servers.Begin()
	r.Clients.Start()
	started := time.Now().Add(-r.Clients.Now())
	r.introduce()

	var recorder *scrape.Recorder
	if len(r.scraped) > 0 {
		recorder = scrape.Start(r.scraped, r.Clients.Now, r.Say)
	}
	monitored := make(chan struct{})
	monitorCtx, stopMonitor := context.WithCancel(context.Background())
	go func() { defer close(monitored); r.monitor(monitorCtx) }()
	scenarioErr := r.Plays.Play(ctx, r.Stage)
	if scenarioErr == nil {
		scenarioErr = r.AwaitAnswers(ctx)
	}
	wall := time.Since(started)
	ended := r.readSpent()
	r.Enter("end", 0)
	if scenarioErr != nil {
		r.note(result.EventAbort, "", scenarioErr.Error())
	}
	stopMonitor()
	<-monitored
	if ended.passed(r.spent) { // a second has ended since
		ended = r.readSpent()
	}
	figures, series := recorder.Stop() // while the clients are there
	_, recent := r.Clients.Progress()
	r.Servers.Sample(context.WithoutCancel(ctx))
	after := readCost()
	workers := r.Clients.Use()
	t := r.Clients.Finish()
	if t.Rest != nil {
		recent.Add(t.Rest)
	}
	last := r.second(ended.at, t.Ready, &t.Counters, recent) // what is left of a second counts as well
	r.spend(&last, ended)
	r.keep(last)
	r.tellOfEnds()
	viewErr := r.display.close()

	out := r.result(&t)
	out.Scraped = figures
	if n, known := r.Servers.Ghosts(t.Ready); known && !r.Shakes() { // nobody has those of handshakes
		out.Conns.Ghosts = &n
	}
	out.Started, out.WallS = started.UTC(), wall.Seconds()
	after.since(before, workers, out)
	if out.Interrupted = scenarioErr != nil; out.Interrupted && interrupt.Err() == nil {
		out.CutShort = new(scenarioErr.Error())
	}
	var aborted abortedError
	if errors.As(scenarioErr, &aborted) { // the verdict says so
		scenarioErr = nil
	}
	out.Thresholds = r.Aborts.Seen()
	var detailErr error
	out.Detail, detailErr = r.detail(&t)
	out.Detail.Scraped = series
	return out, errors.Join(scenarioErr, viewErr, r.unwritten, detailErr, out.Judge(r.Judged, r.LateLimit))
}

// introduce says what begins.
func (r *runner) introduce() {
	if r.Shakes() {
		r.Say("%s: %d at a time, seed %d", r.Scenario, r.Conns, r.Seed)
	} else {
		r.Say("%s: %d clients, %.0f connects per second, seed %d", r.Scenario, r.Conns, r.Rate, r.Seed)
	}
	for _, note := range r.Notes {
		r.Say("%s", note)
	}
	if note := r.KeepaliveNote(); note != "" {
		r.Say("%s", note)
	}
}
