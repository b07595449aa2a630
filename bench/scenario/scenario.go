package scenario

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/swarm"
)

// Scenario is one kind of run. A new one is a file with its type, and a line in All.
type Scenario interface {
	Name() string
	About() string // a line of help
	// Takes are the flags that are for it and not for all, with spaces between.
	Takes() string
	// Defaults are its own; they hold where the user says nothing.
	Defaults(*Config)
	// Check returns one sentence about the first thing that makes no sense in it.
	Check(*Config) error
	// Roles says which clients misbehave from the start, and how.
	Roles(*Config, *swarm.Config)
	// Promises are judged unless the user waives them, so that every verdict can fail.
	Promises(*Config) []string
	// Parts are the phases that Play may enter, for the spans of thresholds.
	Parts(*Config) []string
	// Play goes on until the scenario is over, or the run: then with the error.
	Play(context.Context, *Stage) error
}

// All are the scenarios, in the order of the help.
var All = []Scenario{hold{}, ramp{}, churn{}, soak{}, FindMax{}, phases{}, silent{}, halfOpen{}, trickle{}, storm{}, talk{}, handshake{}, demo{}}

// plain is a scenario with no flags, defaults, checks and roles of its own.
type plain struct{}

func (plain) Takes() string { return "" }

func (plain) Defaults(*Config) {}

func (plain) Check(*Config) error { return nil }

func (plain) Roles(*Config, *swarm.Config) {}

// Named is nil when there is none of that name.
func Named(name string) Scenario {
	i := slices.IndexFunc(All, func(s Scenario) bool { return s.Name() == name })
	if i < 0 {
		return nil
	}
	return All[i]
}

func scenarioNames() string {
	var names []string
	for _, s := range All {
		names = append(names, s.Name())
	}
	return strings.Join(names, ", ")
}

// Help is the help text on them, a line each.
func Help() string {
	var b strings.Builder
	for _, s := range All {
		b.WriteString("  " + s.Name() + strings.Repeat(" ", 10-len(s.Name())) + s.About() + "\n")
	}
	return b.String()
}

// Accepts reports whether a flag is for the scenario: one of its own, or one for all.
func Accepts(s Scenario, flag string) bool {
	takes := func(s Scenario) bool { return slices.Contains(strings.Fields(s.Takes()), flag) }
	return takes(s) || !slices.ContainsFunc(All, takes)
}

// takes reports whether the flag is one of those of the scenario.
func (c *Config) takes(flag string) bool {
	s := Named(c.Scenario)
	return s != nil && slices.Contains(strings.Fields(s.Takes()), flag)
}

// misplaced names the first flag that is said and not for the scenario.
func (c *Config) misplaced(s Scenario) string {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if flag := flagName(v.Type().Field(i)); !v.Field(i).IsZero() && !Accepts(s, flag) {
			return flag
		}
	}
	return ""
}

// flagName is what the command line calls a field.
func flagName(f reflect.StructField) string {
	if name := f.Tag.Get("name"); name != "" {
		return name
	}
	var b strings.Builder
	for i, r := range f.Name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
