package bench

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A PhaseSpec is one part of the scenario "phases". What its fields mean, Do says:
//
//	ramp     Clients more arrive, by Rate, Profile and Steps; the phase ends when all are ready
//	hold     heartbeats, for For
//	churn    sessions end by BYE after Config.Lifetime on average, and others come, for For
//	silence  Fraction of the clients stop speaking; it ends when the server has noticed each
//	storm    a blow of Kind; at most one. Fraction is that of a cut, For the length of a freeze, a blackout or a grey failure
type PhaseSpec struct {
	Do       string
	Clients  int     // ramp
	Rate     float64 // ramp; default Config.Rate
	Profile  string  // ramp; default Config.Profile
	Steps    int     // ramp; default Config.Steps
	For      time.Duration
	Fraction float64 // silence, storm cut
	Kind     string  // storm
}

// phaseKinds are what a phase can do.
var phaseKinds = []string{"ramp", "hold", "churn", "silence", "storm"}

// has reports whether a phase does what.
func (c *Config) has(what string) bool {
	_, ok := c.phase(what)
	return ok
}

// phase is the last one that does what.
func (c *Config) phase(what string) (last PhaseSpec, ok bool) {
	for _, ph := range c.Phases {
		if ph.Do == what {
			last, ok = ph, true
		}
	}
	return last, ok
}

// phasesDefaults: the ramps say how many clients there are, and the storm what flags say
// elsewhere.
func phasesDefaults(c *Config) {
	if c.Conns == 0 {
		for _, ph := range c.Phases {
			c.Conns += max(ph.Clients, 0)
		}
	}
	if storm, ok := c.phase("storm"); ok {
		fill(&c.Kind, storm.Kind)
		fill(&c.Fraction, storm.Fraction)
		if c.Kind == "blackout" || c.Kind == "grey" {
			fill(&c.Outage, storm.For)
		} else {
			fill(&c.Freeze, storm.For)
		}
	}
	if c.has("churn") {
		fill(&c.Lifetime, 10*time.Second)
	}
}

// checkPhases returns one sentence about the first phase that makes no sense.
func (c *Config) checkPhases() error {
	if c.Scenario != "phases" {
		if len(c.Phases) > 0 {
			return usagef("phases are for the scenario phases, not for %s", c.Scenario)
		}
		return nil
	}
	if len(c.Phases) == 0 {
		return usagef("phases are said by a scenario file: stormwheel bench FILE.yaml")
	}
	clients, storms := 0, 0
	for i, ph := range c.Phases {
		bad := func(format string, args ...any) error {
			return usagef("phase %d (%s): %s", i+1, ph.Do, fmt.Sprintf(format, args...))
		}
		switch ph.Do {
		case "ramp":
			clients += ph.Clients
			switch {
			case ph.Clients < 1:
				return bad("%d clients are none", ph.Clients)
			case ph.Clients > maxClients:
				return bad("%d clients are more than %d", ph.Clients, maxClients)
			case ph.Rate < 0 || ph.Rate > maxRate || !finite(ph.Rate):
				return bad("the rate %g is not a number above 0, up to %g", ph.Rate, maxRate)
			case ph.Rate > 0 && tooLong(ph.Clients, ph.Rate):
				return bad("the rate %g brings %d clients in more than %v", ph.Rate, ph.Clients, maxTime)
			}
			if err := checkProfile(ph.Profile, ph.Steps); err != nil {
				return bad("%v", err)
			}
		case "hold", "churn":
			if ph.For <= 0 {
				return bad("%v is not above 0", ph.For)
			}
			if ph.For > maxTime {
				return bad("%v is more than %v", ph.For, maxTime)
			}
		case "silence":
			if !(ph.Fraction > 0 && ph.Fraction <= 1) {
				return bad("the fraction %g is not above 0, up to 1", ph.Fraction)
			}
		case "storm": // --kind, --fraction and --freeze are checked as in the scenario storm
			if storms++; storms > 1 {
				return bad("there is one already, and a run tells of one")
			}
		default:
			return usagef("phase %d: %q is unknown; there are %s", i+1, ph.Do, strings.Join(phaseKinds, ", "))
		}
		if clients == 0 {
			return bad("nobody is there yet; begin with a ramp")
		}
	}
	if storms == 0 && (c.Kind != "" || c.Fraction != 0 || c.Freeze != 0 || c.Outage != 0 || c.Slow != "") {
		return usagef("--kind, --fraction, --freeze, --outage and --slow are for a phase storm, and there is none")
	}
	if clients != c.Conns {
		return usagef("--conns: %d, but the ramps bring %d; leave it out", c.Conns, clients)
	}
	return nil
}

// silenced is how many clients of those that speak fall silent.
func (ph *PhaseSpec) silenced(speaking int) int { return int(ph.Fraction*float64(speaking) + 0.5) }

// expectation is how many clients are there when all phases are over, and how many of them
// are silenced on the way. Probes are never silenced.
func (c *Config) expectation() (end, silenced int) {
	arrived := 0
	for _, ph := range c.Phases {
		arrived += ph.Clients
		if ph.Do == "silence" {
			silenced += ph.silenced(arrived - silenced - c.probesAmong(arrived))
		}
	}
	return c.Conns - silenced, silenced
}

// probesAmong is how many of the first clients are probes.
func (c *Config) probesAmong(first int) (n int) {
	targets, probes := max(c.Spawn, len(c.Targets)), c.probeCount()
	for number := range first {
		if dealt(number, c.Conns, targets, probes, true) {
			n++
		}
	}
	return n
}

// phasesPromises are those of the scenarios that the phases are made of, as far as they
// hold for a mixture.
func phasesPromises(c *Config) []string {
	end, silenced := c.expectation()
	all := []string{fmt.Sprintf("conns.end==%d", end), "eviction.false==0"}
	if silenced > 0 {
		all = append(all, fmt.Sprintf("eviction.expected==%d", silenced), fmt.Sprintf("eviction.observed==%d", silenced), "eviction.early==0")
		if c.Spawn > 0 {
			all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", promisedLatenessMs(c)))
		}
	}
	if c.has("churn") {
		all = append(all, "churn.departures>0", "churn.missing==0")
	}
	if !c.has("storm") {
		return append(all, "connect.failed==0", answeredPromise, fmt.Sprintf("conns.lost==%d", silenced))
	}
	if c.Kind != "grey" && (c.Kind != "freeze" || c.Freeze > c.noticeTime()) {
		all = append(all, "storm.clients>0")
		switch {
		case c.Kind == "blackout" || c.Kind == "grey": // they knock while nobody is there
		case c.alone():
			all = append(all, "storm.attempts_per_success<=3")
		default:
			all = append(all, "storm.attempts_per_success<=1.2")
		}
	}
	if c.drains() {
		all = append(all, "storm.offline==0")
	}
	return append(all, fmt.Sprintf("storm.t100_s<=%g", (c.Freeze+c.Outage+c.RecoveryTimeout).Seconds()), gapPromise, pendingPromise)
}

// phases runs one after the other.
func phases(ctx context.Context, r *runner) error {
	arrived := 0
	for i, ph := range r.plan.Phases {
		if ph.Do == "storm" {
			ph.Kind = r.plan.Kind // a flag may have said another
		}
		r.say("phase %d of %d: %s", i+1, len(r.plan.Phases), ph.words())
		var err error
		switch ph.Do {
		case "ramp":
			err = r.rampPhase(ctx, ph, arrived)
			arrived += ph.Clients
		case "hold":
			err = r.passIn(ctx, "hold", ph.For)
		case "churn":
			err = r.churnPhase(ctx, ph.For)
		case "silence":
			err = r.silence(ctx, ph.silenced(r.fleet.Speaking()))
		case "storm":
			err = r.strike(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// words are the phase for people.
func (ph *PhaseSpec) words() string {
	switch ph.Do {
	case "ramp":
		return fmt.Sprintf("ramp, %d clients", ph.Clients)
	case "silence":
		return fmt.Sprintf("silence, %g %%", ph.Fraction*100)
	case "storm":
		return "storm, " + ph.Kind
	default:
		return fmt.Sprintf("%s, %v", ph.Do, ph.For)
	}
}

// rampPhase brings the clients with numbers from first on.
func (r *runner) rampPhase(ctx context.Context, ph PhaseSpec, first int) error {
	a := r.plan.arrivals(first, ph)
	patience := a.length() + rampPatience
	r.enter("ramp", patience)
	r.fleet.Arrive(a)
	over, err := r.awaitWelcomes(ctx, patience, func() bool { return r.fleet.Counts().FirstReady >= a.To })
	if err == nil && !over {
		r.say("%d of %d clients were welcomed, going on with them", r.fleet.Counts().FirstReady, a.To)
	}
	return err
}

// arrivals are those of a ramp that begins with client first.
func (p *plan) arrivals(first int, ph PhaseSpec) arrivals {
	a := arrivals{From: first, To: first + ph.Clients, Rate: ph.Rate, Profile: ph.Profile, Steps: ph.Steps, Seed: p.Seed}
	fill(&a.Rate, p.Rate)
	if a.Profile == "" {
		a.Profile = p.Profile
		fill(&a.Steps, p.Steps)
	}
	if a.Profile == "step" {
		fill(&a.Steps, defaultSteps)
	}
	return a
}

// churnPhase has sessions end and others come for so long.
func (r *runner) churnPhase(ctx context.Context, length time.Duration) error {
	r.fleet.Unsettle()
	if err := r.passIn(ctx, "churn", length); err != nil {
		return err
	}
	return r.settle(ctx, 0)
}
