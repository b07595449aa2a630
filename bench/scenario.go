package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// scenario is one kind of run. A new one is a file with its run function, and an entry
// here.
type scenario struct {
	name     string
	about    string
	takes    string // the flags that are for it and not for all
	defaults func(*Config)
	// promises are judged unless the user waives them, so that every verdict can fail.
	promises func(*Config) []string
	run      func(ctx context.Context, r *runner) error // nil: find-max, which makes runs of others
}

// accepts reports whether a flag that is not for all scenarios is for this one.
func (s *scenario) accepts(flag string) bool {
	return slices.Contains(strings.Fields(s.takes), flag)
}

var scenarios = []scenario{
	{name: "hold", about: "connect, and heartbeat for --duration",
		defaults: holdDefaults, promises: holdPromises, run: hold},
	{name: "ramp", about: "connect by --profile linear, step or poisson, and judge how long each takes to be welcomed",
		takes: "profile steps", promises: rampPromises, run: rampUp},
	{name: "churn", about: "sessions end by BYE after --lifetime on average, and others come for them",
		takes: "lifetime", defaults: churnDefaults, promises: churnPromises, run: churn},
	{name: "soak", about: "churn for --duration, which may be days: nothing may grow",
		takes: "lifetime", defaults: soakDefaults, promises: soakPromises, run: soak},
	{name: "find-max", about: "the most clients, or with --vary rate connects per second, at which --goal holds",
		takes: "goal vary", defaults: findMaxDefaults, promises: findMaxPromises},
	{name: "phases", about: "what the phases of a scenario file say, one after the other: bench FILE.yaml",
		takes: "lifetime profile steps kind fraction freeze outage slow probes cohorts", defaults: phasesDefaults, promises: phasesPromises, run: phases},
	{name: "silent", about: "--fraction of the clients keep the socket and stop speaking",
		takes: "fraction probes", defaults: silentDefaults, promises: silentPromises, run: silent},
	{name: "halfopen", about: "--fraction of the clients connect and say nothing, not even HELLO",
		takes: "fraction deadline", defaults: halfOpenDefaults, promises: halfOpenPromises, run: halfOpen},
	{name: "trickle", about: "--fraction of the clients send HELLO or PING a byte every --trickle-interval",
		takes: "fraction deadline trickle trickle-interval", defaults: trickleDefaults, promises: tricklePromises, run: trickle},
	{name: "storm", about: "--kind kill: kill -9 of the first node; drain: SIGTERM; cut: its connections break; freeze: SIGSTOP;\n" +
		"           blackout: kill -9 of all nodes, which are back after --outage; restart: SIGTERM, and it is started again;\n" +
		"           flood: --fraction of the clients are in, and all others come at once;\n" +
		"           grey: all nodes are slow (--slow) for --outage, and well again",
		takes: "kind fraction freeze outage slow probes cohorts", promises: stormPromises, run: storm},
	{name: "demo", about: "two nodes, 5,000 clients: silent ones are evicted, then a node is killed",
		takes: "fraction kind probes", defaults: demoDefaults, promises: demoPromises, run: demo},
}

// scenarioNamed is nil when there is none of that name.
func scenarioNamed(name string) *scenario {
	i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return &scenarios[i]
}

func scenarioNames() string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// Scenarios is the help text on them, a line each.
func Scenarios() string {
	var b strings.Builder
	for _, s := range scenarios {
		b.WriteString("  " + s.name + strings.Repeat(" ", 9-len(s.name)) + s.about + "\n")
	}
	return b.String()
}

// pollEvery is how often a scenario looks whether what it waits for has happened.
const pollEvery = 20 * time.Millisecond

// until waits for cond, at most for bound. It reports whether cond came true; the error is
// the end of the run.
func (r *runner) until(ctx context.Context, bound time.Duration, cond func() bool) (bool, error) {
	deadline := time.NewTimer(bound)
	defer deadline.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if cond() {
			return true, nil
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return cond(), nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// pass lets time go by.
func (r *runner) pass(ctx context.Context, d time.Duration) error {
	_, err := r.until(ctx, d, func() bool { return false })
	return err
}

// passIn lets time go by in a phase of its own.
func (r *runner) passIn(ctx context.Context, phase string, d time.Duration) error {
	r.enter(phase, d)
	return r.pass(ctx, d)
}

// joining is how many clients a ramp brings in; the others stay half-open, or have not said
// HELLO to its end.
func (p *plan) joining() int {
	switch {
	case p.scenario.name == "halfopen", p.scenario.name == "trickle" && p.tooSlow() && p.Trickle == "hello":
		return p.Conns - silentCount(&p.Config)
	default:
		return p.Conns
	}
}

// rampPatience is how long after the last arrival a ramp may take.
const rampPatience = 15 * time.Second

// ramp waits until all clients are ready. Those that are not by then count as missing at
// the end, and the run goes on; unless nobody at all is welcomed.
func (r *runner) ramp(ctx context.Context) error {
	patience := r.fleet.RampTime() + rampPatience
	if c := &r.plan.Config; c.Scenario == "trickle" && c.Trickle == "hello" && !c.tooSlow() {
		_, longest := c.trickleTime()
		patience += longest
	}
	r.enter("ramp", patience)
	over, err := r.awaitWelcomes(ctx, patience, func() bool {
		return r.fleet.Ready() >= r.plan.joining() && r.fleet.Counts().Muted >= r.plan.Conns-r.plan.joining()
	})
	switch {
	case err != nil:
		return err
	case over:
		r.say("all %d clients are ready", r.plan.joining())
	default:
		r.say("%d of %d clients are ready, going on with them", r.fleet.Ready(), r.plan.Conns)
	}
	return nil
}

// awaitWelcomes waits for cond, at most for bound, unless a target has welcomed nobody at all,
// or nodes have and say that it will stay like that.
func (r *runner) awaitWelcomes(ctx context.Context, bound time.Duration, cond func() bool) (bool, error) {
	shunned := false
	over, err := r.until(ctx, bound, func() bool {
		n := r.fleet.Counts()
		unwanted := r.plan.Spawn == 0 || n.Refusal.Advice() == codec.AvoidAddress
		shunned = unwanted && r.fleet.Now() > welcomePatience && n.Established == 0
		return shunned || cond()
	})
	if err == nil && shunned {
		n := r.fleet.Counts()
		why := n.Failures.words()
		if n.Refusal != 0 {
			why += fmt.Sprintf("; the server says %v (%d)", n.Refusal, n.Refusal)
		}
		where := slices.Clone(r.plan.Targets)
		for _, node := range r.nodes {
			where = append(where, node.addr)
		}
		err = fmt.Errorf("nobody was welcomed at %s within %v%s", strings.Join(where, ", "), welcomePatience, why)
	}
	return over, err
}

// steady is the calm after the ramp, before the blow if there is one.
func (r *runner) steady(ctx context.Context) error {
	d := r.heartbeatOr(r.plan.Duration)
	r.say("steady for %v (--duration)", d)
	return r.passIn(ctx, "steady", d)
}

// heartbeatOr is d, or one heartbeat if d is 0. Of a foreign target that is not told.
func (r *runner) heartbeatOr(d time.Duration) time.Duration {
	if d == 0 {
		d = r.plan.Heartbeat
	}
	if d == 0 {
		d = 5 * time.Second
	}
	return d
}
