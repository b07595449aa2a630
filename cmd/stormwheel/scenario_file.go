package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/stormwheel/stormwheel/bench/scenario"
)

// scenarioFile is a run that flags cannot say: flags of bench under their names, and phases.
// A flag on the command line comes before the file, and the file before the environment.
type scenarioFile struct {
	Phases []phaseText    `yaml:"phases"`
	Flags  map[string]any `yaml:",inline"`
}

// phaseText is one phase: its first word says what it does, the others how.
type phaseText struct {
	Ramp    int           `yaml:"ramp"`
	Hold    time.Duration `yaml:"hold"`
	Churn   time.Duration `yaml:"churn"`
	Silence share         `yaml:"silence"`
	Storm   string        `yaml:"storm"`

	Rate     float64       `yaml:"rate"`     // of a ramp
	Profile  string        `yaml:"profile"`  // of a ramp
	Steps    int           `yaml:"steps"`    // of a ramp
	Fraction share         `yaml:"fraction"` // of a storm: cut
	For      time.Duration `yaml:"for"`      // of a storm: freeze, blackout, grey
}

// share is 5% or 0.05.
type share float64

func (s *share) UnmarshalYAML(node *yaml.Node) error {
	text, percent := strings.CutSuffix(node.Value, "%")
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("line %d: %q is no share, as in 5%% or 0.05", node.Line, node.Value)
	}
	if percent {
		v /= 100
	}
	*s = share(v)
	return nil
}

// isScenarioFile tells a file from a scenario's name.
func isScenarioFile(scenario string) bool {
	ext := filepath.Ext(scenario)
	return ext == ".yaml" || ext == ".yml"
}

// BeforeResolve is called by kong when the words are read and the flags have no values yet.
func (c *BenchCmd) BeforeResolve(parsed *kong.Context) error {
	for _, path := range parsed.Path {
		if path.Positional == nil {
			continue
		}
		name := parsed.Value(path).String()
		if !isScenarioFile(name) {
			continue
		}
		file, err := readScenarioFile(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		known := map[string]bool{}
		for _, f := range parsed.Selected().Flags {
			known[f.Name] = true
		}
		for _, key := range slices.Sorted(maps.Keys(file.Flags)) {
			if !known[key] {
				return fmt.Errorf("%s: %q is neither phases nor a flag of bench", name, key)
			}
		}
		for i, text := range file.Phases {
			phase, err := text.spec()
			if err != nil {
				return fmt.Errorf("%s: phase %d: %w", name, i+1, err)
			}
			c.Phases = append(c.Phases, phase)
			if phase.Do == "storm" {
				file.flag("kind", phase.Kind)
				file.flag("fraction", phase.Fraction)
				if phase.Kind == "blackout" || phase.Kind == "grey" {
					file.flag("outage", phase.For)
				} else {
					file.flag("freeze", phase.For)
				}
			}
		}
		parsed.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			return flagText(file.Flags[flag.Name]), nil
		}))
	}
	return nil
}

var (
	wrongType   = regexp.MustCompile("^line (\\d+): cannot unmarshal !!\\w+ (?:`(.*)` )?into (.*)$")
	wrongField  = regexp.MustCompile(`^line (\d+): field (.*) not found in type main\.phaseText$`)
	wantedTypes = map[string]string{"time.Duration": "a duration, as in 10s", "int": "a whole number", "float64": "a number",
		"string": "a word", "[]main.phaseText": "a list of phases, as in - hold: 10s", "main.phaseText": "a phase, as in hold: 10s"}
)

// inWords says what YAML says of our types in words that are not Go's.
func inWords(err error) error {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return err
	}
	text := wrong.Errors[0] // the others are often its consequences
	if m := wrongField.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("line %s: a phase has no %q; it is a ramp, hold, churn, silence or storm, with rate, profile, steps, fraction and for", m[1], m[2])
	}
	if m := wrongType.FindStringSubmatch(text); m != nil && wantedTypes[m[3]] != "" {
		said := "what is there"
		if m[2] != "" {
			said = strconv.Quote(m[2])
		}
		return fmt.Errorf("line %s: %s is not %s", m[1], said, wantedTypes[m[3]])
	}
	return errors.New(text)
}

// flag has what a phase says stand before the environment, as the flags do.
func (f *scenarioFile) flag(name string, value any) {
	switch {
	case value == "" || value == 0.0 || value == time.Duration(0) || f.Flags[name] != nil: // not said, or twice
	case f.Flags == nil:
		f.Flags = map[string]any{name: value}
	default:
		f.Flags[name] = value
	}
}

func readScenarioFile(name string) (file scenarioFile, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return file, errors.Unwrap(err) // the name is said already
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return file, inWords(err)
	}
	if len(file.Phases) == 0 {
		return file, errors.New("it has no phases")
	}
	return file, nil
}

// flagText is a value of YAML as the parser of the flags takes it; nil if there is none.
func flagText(value any) any {
	switch v := value.(type) {
	case nil, bool, string:
		return v
	case time.Time: // what YAML makes of a date without quotes
		return v.Format(time.RFC3339Nano)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var all []any
		for _, one := range v {
			all = append(all, fmt.Sprint(one))
		}
		return all
	default:
		return fmt.Sprint(v)
	}
}

// spec is the phase as package bench takes it.
func (t *phaseText) spec() (scenario.Phase, error) {
	p := scenario.Phase{Clients: t.Ramp, Rate: t.Rate, Profile: t.Profile, Steps: t.Steps, Kind: t.Storm}
	for _, what := range []struct {
		do   string
		said bool
	}{{"ramp", t.Ramp != 0}, {"hold", t.Hold != 0}, {"churn", t.Churn != 0}, {"silence", t.Silence != 0}, {"storm", t.Storm != ""}} {
		switch {
		case what.said && p.Do != "":
			return p, fmt.Errorf("it is both %s and %s; make two of it", p.Do, what.do)
		case what.said:
			p.Do = what.do
		}
	}
	ofRamp := t.Rate != 0 || t.Profile != "" || t.Steps != 0
	switch {
	case p.Do == "":
		return p, errors.New("it is none of ramp, hold, churn, silence, storm, with a value other than 0")
	case ofRamp && p.Do != "ramp":
		return p, fmt.Errorf("rate, profile and steps are for a ramp, not for %s", p.Do)
	case (t.Fraction != 0 || t.For != 0) && p.Do != "storm":
		return p, fmt.Errorf("fraction and for are for a storm, not for %s", p.Do)
	}
	p.For = t.Hold + t.Churn + t.For             // at most one is said
	p.Fraction = float64(t.Silence + t.Fraction) // the same
	return p, nil
}
