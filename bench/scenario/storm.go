package scenario

import (
	"context"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// storm strikes the first node, all of them or the connections, and waits until all is well
// again. What befalls them is one of blows.
type storm struct{ plain }

func (storm) Name() string { return "storm" }

func (storm) About() string {
	return "--kind kill: kill -9 of the first node; drain: SIGTERM; cut: its connections break; freeze: SIGSTOP;\n" +
		"           blackout: kill -9 of all nodes, which are back after --outage; restart: SIGTERM, and it is started again;\n" +
		"           flood: --fraction of the clients are in, and all others come at once;\n" +
		"           grey: all nodes are slow (--slow) for --outage, and well again;\n" +
		"           external: targets are struck by --storm-cmd or --drain-cmd, by somebody --storm-at, or sometime"
}

func (storm) Takes() string {
	return "kind fraction freeze outage slow storm-cmd drain-cmd storm-at probes cohorts " + rampFlags + messageFlags
}

func (storm) Defaults(c *Config) { c.fillExternal() }

func (storm) Check(c *Config) error {
	if c.Kind == "" {
		return result.Usage("storm needs --kind %s", strings.Join(Kinds(), ", "))
	}
	if c.Kind == "cut" && c.cutCount() < 1 {
		return result.Usage("--fraction: %g of %d clients is nobody", c.Fraction, c.Conns)
	}
	return c.checkFraction()
}

func (storm) Promises(c *Config) []string {
	all := blowOf(c.Kind).promises(c)
	if !c.outside() {
		all = append(all, gapPromise)
	}
	return append(all, pendingPromise)
}

func (storm) Parts(c *Config) []string { return append([]string{"ramp", "steady"}, partsOf(c.Kind)...) }

func (storm) Play(ctx context.Context, s *Stage) error {
	if s.floods() { // strikes nobody: there the clients are the storm
		return s.strike(ctx)
	}
	if err := s.ramp(ctx); err != nil {
		return err
	}
	if err := s.calm(ctx); err != nil {
		return err
	}
	return s.strike(ctx)
}

// strike is the blow of the storm, and what comes of it.
func (s *Stage) strike(ctx context.Context) error { return blowOf(s.Kind).strike(ctx, s) }

// gapPromise is one of every storm of the run's own: somebody gets in while many wait.
const gapPromise = "storm.longest_gap_s<=2"

// blow is what a storm of a kind does. A new one is a file with its type, and a line in blows.
type blow interface {
	promises(*Config) []string
	strike(context.Context, *Stage) error
}

// blows are what can befall clients and nodes, by the kind of the storm, with the phases that they begin with.
var blows = []struct {
	kind string
	blow
	first string
}{{"kill", kill{}, ""}, {"drain", drain{}, "drain"}, {"cut", cut{}, ""}, {"freeze", freeze{}, "frozen"}, {"blackout", blackout{}, "outage"},
	{"restart", restart{}, "drain"}, {"flood", flood{}, ""}, {"grey", grey{}, "slow"}, {"external", external{}, "watch"}}

// partsOf are the phases of a storm of a kind.
func partsOf(kind string) (all []string) {
	for _, b := range blows {
		if b.kind == kind && b.first != "" {
			all = append(all, b.first)
		}
	}
	if kind != "drain" { // that is over when the node has ended
		all = append(all, "recovery")
	}
	return append(all, "aftermath")
}

// blowOf is nil for a kind that there is none of.
func blowOf(kind string) blow {
	for _, b := range blows {
		if b.kind == kind {
			return b.blow
		}
	}
	return nil
}

// Kinds are those of the storms, in the order of the help.
func Kinds() (all []string) {
	for _, b := range blows {
		all = append(all, b.kind)
	}
	return all
}

// drains: the first node is asked to end, and others are there to take its clients.
func (c *Config) drains() bool { return c.Kind == "drain" || c.Kind == "restart" && !c.Alone() }

// floods: clients that come at once are the storm.
func (c *Config) floods() bool { return c.Kind == "flood" }

// Alone: no node is left, or none that is well, while the storm goes on, so that clients come
// back only after it.
func (c *Config) Alone() bool {
	return c.Kind == "blackout" || c.Kind == "grey" || c.outside() || c.Kind == "restart" && c.Spawn == 1
}

// receivers are the spawned nodes that take the clients of a storm: all but the one that is
// struck, or all if they come back, or if none is. Where connections break, their clients take it for the node's fault, and go to
// another if there is one.
func (c *Config) receivers() int {
	if c.Alone() || c.floods() || c.Kind == "cut" && (c.Spawn == 1 || c.Fraction > 0) {
		return c.Spawn
	}
	return max(c.Spawn-1, 0)
}

// fillStorm has the defaults of a storm's flags.
func (c *Config) fillStorm() {
	if c.talks() { // the blow has flags of its own there
		return
	}
	if _, said := c.nodeArg("drain-grace"); (c.drains() || c.Kind == "restart") && c.Spawn > 0 && !said {
		c.NodeArgs = append([]string{"drain-grace=" + drainGrace.String()}, c.NodeArgs...)
	}
	switch c.Kind {
	case "freeze":
		fill(&c.Freeze, c.noticeTime()+freezeSlack)
	case "blackout":
		fill(&c.Outage, defaultOutage)
	case "grey":
		fill(&c.Outage, defaultGreyTime)
		fill(&c.Slow, defaultGrey)
	}
}

// checkStorm returns one sentence about the first flag of a storm that makes no sense.
func (c *Config) checkStorm() error {
	is := func(kinds ...string) bool { return slices.Contains(kinds, c.Kind) }
	switch {
	case c.talks(): // its own flags say it, see checkBlow
	case c.storms() && blowOf(c.Kind) == nil:
		return result.Usage("--kind: %q is unknown; there are %s", c.Kind, strings.Join(Kinds(), ", "))
	case is("blackout", "restart", "grey") && c.Spawn < 1:
		return result.Usage("%s --kind %s strikes processes that are the run's own: it needs --spawn", c.Scenario, c.Kind)
	case is("kill", "drain", "freeze") && c.Spawn < 2:
		return result.Usage("%s --kind %s strikes a process that others stand in for: it needs --spawn 2 or more", c.Scenario, c.Kind)
	case c.Freeze != 0 && !is("freeze"):
		return result.Usage("--freeze is for --kind freeze")
	case c.Freeze < 0:
		return result.Usage("--freeze: %v is below 0", c.Freeze)
	case c.Outage != 0 && !is("blackout", "grey"):
		return result.Usage("--outage is for --kind blackout and grey")
	case c.Outage < 0:
		return result.Usage("--outage: %v is below 0", c.Outage)
	case c.Slow != "" && (!is("kill", "flood", "grey") || c.Spawn == 0):
		return result.Usage("--slow is for spawned nodes, and for --kind kill, flood and grey")
	case c.floods() && (c.baseline() < 1 || c.baseline() >= c.Conns):
		return result.Usage("--fraction: %g of %d clients leaves nobody before the flood, or nobody in it", c.Fraction, c.Conns)
	case c.floods() && c.Probes > 0:
		return result.Usage("--probes is not for --kind flood: those that are in before it are its probes")
	case is("blackout", "grey") && c.Probes > 0:
		return result.Usage("--probes is not for --kind %s: it leaves nobody alone", c.Kind)
	}
	return nil
}

// checkFraction: of a storm, only a cut and a flood are of a share of the clients.
func (c *Config) checkFraction() error {
	if c.storms() && c.Kind != "cut" && c.Kind != "flood" && c.Fraction != 0 {
		return result.Usage("--fraction is not for --kind %s", c.Kind)
	}
	return nil
}
