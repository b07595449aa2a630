package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
)

// phases are parts that follow each other, as flags or a run file say.
type phases struct{ plain }

func (phases) Name() string { return "phases" }

func (phases) About() string {
	return "one --phase after the other, or what the phases of a run file say: bench run FILE.yaml"
}

func (phases) Takes() string {
	return "phase lifetime kind fraction freeze outage slow storm-cmd drain-cmd storm-at probes cohorts " + rampFlags + messageFlags
}

// A Phase is one part of the scenario "phases". What its fields mean, Do says:
//
//	ramp     Clients more arrive, by Rate, Profile and Steps; the phase ends when all are ready
//	hold     heartbeats, for For
//	churn    sessions end by BYE after Config.Lifetime on average, and others come, for For
//	silence  Fraction of the clients stop speaking; it ends when the server has noticed each
//	storm    a blow of Kind; at most one. Fraction is that of a cut, For the length of a freeze, a blackout or a grey failure
type Phase struct {
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

// Defaults: the ramps say how many clients there are, and the storm what flags say
// elsewhere.
func (phases) Defaults(c *Config) {
	if c.Conns == 0 {
		for _, ph := range c.Phases {
			c.Conns += max(ph.Clients, 0)
		}
	}
	if storm, ok := c.phase("storm"); ok {
		c.fillExternal()
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

// Check returns one sentence about the first phase that makes no sense.
func (phases) Check(c *Config) error {
	if len(c.Phases) == 0 {
		return result.Usage("phases needs --phase, as in --phase ramp=1000 --phase hold=10s, or a run file: stormwheel bench run FILE.yaml")
	}
	clients, storms := 0, 0
	for i, ph := range c.Phases {
		if ph.Do == "ramp" {
			clients += ph.Clients
		}
		if ph.Do == "storm" { // --kind, --fraction and --freeze are checked as in the scenario storm
			storms++
		}
		why := ph.check()
		switch {
		case !slices.Contains(phaseKinds, ph.Do):
			return result.Usage("phase %d: %q is unknown; there are %s", i+1, ph.Do, strings.Join(phaseKinds, ", "))
		case why != "":
		case storms > 1:
			why = "there is one already, and a run tells of one"
		case clients == 0:
			why = "nobody is there yet; begin with a ramp"
		}
		if why != "" {
			return result.Usage("phase %d (%s): %s", i+1, ph.Do, why)
		}
	}
	switch {
	case c.floods():
		return result.Usage("--kind flood is a ramp of its own: it is not for phases")
	case storms > 0 && c.Kind == "":
		return result.Usage("phases needs --kind %s", strings.Join(Kinds(), ", "))
	case storms == 0 && (c.Kind != "" || c.Fraction != 0 || c.Freeze != 0 || c.Outage != 0 || c.Slow != ""):
		return result.Usage("--kind, --fraction, --freeze, --outage and --slow are for a phase storm, and there is none")
	case clients != c.Conns:
		return result.Usage("--conns: %d, but the ramps bring %d; leave it out", c.Conns, clients)
	}
	return c.checkFraction()
}

// check says what makes no sense in the phase itself; nothing if all does.
func (ph *Phase) check() string {
	switch ph.Do {
	case "ramp":
		switch {
		case ph.Clients < 1:
			return fmt.Sprintf("%d clients are none", ph.Clients)
		case ph.Clients > maxClients:
			return fmt.Sprintf("%d clients are more than %d", ph.Clients, maxClients)
		case ph.Rate < 0 || ph.Rate > maxRate || !finite(ph.Rate):
			return fmt.Sprintf("the rate %g is not a number above 0, up to %g", ph.Rate, maxRate)
		case ph.Rate > 0 && tooLong(ph.Clients, ph.Rate):
			return fmt.Sprintf("the rate %g brings %d clients in more than %v", ph.Rate, ph.Clients, maxTime)
		}
		if err := checkProfile(ph.Profile, ph.Steps); err != nil {
			return err.Error()
		}
	case "hold", "churn":
		switch {
		case ph.For <= 0:
			return fmt.Sprintf("%v is not above 0", ph.For)
		case ph.For > maxTime:
			return fmt.Sprintf("%v is more than %v", ph.For, maxTime)
		}
	case "silence":
		if !(ph.Fraction > 0 && ph.Fraction <= 1) {
			return fmt.Sprintf("the fraction %g is not above 0, up to 1", ph.Fraction)
		}
	}
	return ""
}

// silenced is how many clients of those that speak fall silent.
func (ph *Phase) silenced(speaking int) int { return int(ph.Fraction*float64(speaking) + 0.5) }

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
	targets, probes := c.targets(), c.ProbeCount()
	for number := range first {
		if swarm.Takes(number, c.Conns, targets, probes, true) {
			n++
		}
	}
	return n
}

// Promises are those of the scenarios that the phases are made of, as far as they
// hold for a mixture.
func (phases) Promises(c *Config) []string {
	end, silenced := c.expectation()
	all := []string{fmt.Sprintf("conns.end==%d", end), "eviction.false==0"}
	if silenced > 0 {
		all = append(all, fmt.Sprintf("eviction.expected==%d", silenced), fmt.Sprintf("eviction.observed==%d", silenced), "eviction.early==0")
		if c.Spawn > 0 {
			all = append(all, fmt.Sprintf("eviction.lateness_ms.p99<=%g", promisedLatenessMs(c, tickLate)))
		}
	}
	if c.has("churn") {
		all = append(all, "churn.departures>0", "churn.missing==0")
	}
	if !c.has("storm") {
		return append(all, "connect.failed==0", answeredPromise, fmt.Sprintf("conns.lost==%d", silenced))
	}
	if c.outside() {
		return slices.Concat(all, slices.DeleteFunc(external{}.promises(c), func(p string) bool { return slices.Contains(all, p) || strings.HasPrefix(p, "conns.end") }), []string{pendingPromise})
	}
	if c.Kind != "grey" && (c.Kind != "freeze" || c.Freeze > c.noticeTime()) {
		all = append(all, "storm.clients>0")
		switch {
		case c.Kind == "blackout" || c.Kind == "grey": // they knock while nobody is there
		case c.Alone():
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

func (phases) Parts(c *Config) (all []string) {
	for _, ph := range c.Phases {
		switch ph.Do {
		case "storm":
			all = append(all, partsOf(c.Kind)...)
		case "churn":
			all = append(all, "churn", "settle")
		default:
			all = append(all, ph.Do)
		}
	}
	return all
}

// Play runs one after the other.
func (phases) Play(ctx context.Context, s *Stage) error {
	arrived := 0
	for i, ph := range s.Phases {
		if ph.Do == "storm" {
			ph.Kind = s.Kind // a flag may have said another
		}
		s.Say("phase %d of %d: %s", i+1, len(s.Phases), ph.words())
		var err error
		switch ph.Do {
		case "ramp":
			err = s.rampPhase(ctx, ph, arrived)
			arrived += ph.Clients
		case "hold":
			err = s.passIn(ctx, "hold", ph.For)
		case "churn":
			err = s.churnPhase(ctx, ph.For)
		case "silence":
			err = s.silence(ctx, ph.silenced(s.Clients.Speaking()))
		case "storm":
			err = s.strike(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// words are the phase for people.
func (ph *Phase) words() string {
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
func (s *Stage) rampPhase(ctx context.Context, ph Phase, first int) error {
	a := s.arrivals(first, ph)
	patience := a.Length() + rampPatience
	s.Enter("ramp", patience)
	s.Clients.Arrive(a)
	over, err := s.awaitWelcomes(ctx, patience, func() bool { return s.Clients.Counts().FirstReady >= a.To })
	if err == nil && !over {
		s.Say("%d of %d clients were welcomed, going on with them", s.Clients.Counts().FirstReady, a.To)
	}
	return err
}

// arrivals are those of a ramp that begins with client first.
func (p *Plan) arrivals(first int, ph Phase) swarm.Arrivals {
	a := swarm.Arrivals{From: first, To: first + ph.Clients, Rate: ph.Rate, Profile: ph.Profile, Steps: ph.Steps, Seed: p.Seed}
	fill(&a.Rate, p.Rate)
	if a.Profile == "" {
		a.Profile = p.Profile
		fill(&a.Steps, p.Steps)
	}
	if a.Profile == "step" {
		fill(&a.Steps, swarm.DefaultSteps)
	}
	return a
}

// churnPhase has sessions end and others come for so long.
func (s *Stage) churnPhase(ctx context.Context, length time.Duration) error {
	s.Clients.Unsettle()
	if err := s.passIn(ctx, "churn", length); err != nil {
		return err
	}
	return s.settle(ctx, 0)
}
