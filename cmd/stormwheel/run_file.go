package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// runFile is all that a run needs in one YAML file: the scenario, and the flags of bench under their names. A flag
// on the command line comes before the file, and the file before the environment.
type runFile struct {
	path     string
	scenario string
	lines    map[string]int // of the flags that it says
	values   map[string]any // of them, as the parser of the flags takes them
	phases   []int          // their lines
	storm    scenario.Phase // that of them
}

// isRunFile tells a file from a scenario's name.
func isRunFile(scenario string) bool {
	ext := filepath.Ext(scenario)
	return ext == ".yaml" || ext == ".yml"
}

var yamlPlace = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// readRunFile reads a file. Its errors say where in it they are.
func readRunFile(path string, flags []*kong.Flag) (*runFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Unwrap(err)) // which has the name, too
	}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		m := yamlPlace.FindStringSubmatch(err.Error())
		if m == nil || m[1] == "" {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return nil, fmt.Errorf("%s:%s: this is no YAML: %s", path, m[1], m[2])
	}
	f := &runFile{path: path, lines: map[string]int{}, values: map[string]any{}}
	if doc.Kind == 0 {
		return nil, fmt.Errorf("%s: it is empty; it says a scenario, and flags of bench", path)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, f.fault(root, "this is not KEY: VALUE, as in scenario: hold")
	}
	if err := f.read(root, flags); err != nil {
		return nil, err
	}
	for flag, value := range f.implied() {
		if f.values[flag] == nil {
			f.values[flag] = value
		}
	}
	switch {
	case f.scenario == "" && len(f.phases) == 0:
		return nil, fmt.Errorf("%s: it says no scenario, and has no phases", path)
	case f.scenario == "":
		f.scenario = "phases"
	}
	return f, nil
}

func (f *runFile) fault(at *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", f.path, at.Line, fmt.Errorf(format, args...))
}

// read takes one key after the other.
func (f *runFile) read(root *yaml.Node, flags []*kong.Flag) error {
	byName, names := map[string]*kong.Flag{}, []string{"scenario"}
	for _, flag := range flags {
		if flag.Name == "help" || flag.Name == "print" {
			continue
		}
		byName[flag.Name] = flag
		names = append(names, flag.Name)
		if flag.IsSlice() { // more than one may be named so
			byName[flag.Name+"s"] = flag
		}
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], aliased(root.Content[i+1])
		if key.Value == "scenario" {
			if err := f.takeScenario(key, value); err != nil {
				return err
			}
			continue
		}
		flag := byName[key.Value]
		if flag == nil {
			if near := result.Nearest(key.Value, names); near != "" {
				return f.fault(key, "%q is neither scenario nor a flag of bench; did you mean %q?", key.Value, near)
			}
			return f.fault(key, "%q is neither scenario nor a flag of bench; those are in stormwheel bench --help", key.Value)
		}
		if line, twice := f.lines[flag.Name]; twice {
			return f.fault(key, "%s is said in line %d already", key.Value, line)
		}
		v, err := f.value(flag, value)
		if err != nil {
			return err
		}
		if err := readable(flag, v); err != nil {
			return f.fault(value, "%s: %w", key.Value, err)
		}
		f.lines[flag.Name], f.values[flag.Name] = key.Line, v
	}
	return nil
}

func (f *runFile) takeScenario(key, value *yaml.Node) error {
	if f.scenario != "" {
		return f.fault(key, "scenario is said twice")
	}
	f.scenario = value.Value
	if scenario.Named(f.scenario) != nil {
		return nil
	}
	var names []string
	for _, s := range scenario.All {
		names = append(names, s.Name())
	}
	if near := result.Nearest(f.scenario, names); near != "" {
		return f.fault(value, "no scenario %q; did you mean %q?", f.scenario, near)
	}
	return f.fault(value, "no scenario %q; there are %s", f.scenario, strings.Join(names, ", "))
}

// implied is what the storm of a phase says that flags say elsewhere, so that it stands before the environment.
func (f *runFile) implied() map[string]any {
	all := map[string]any{}
	if f.storm.Kind != "" {
		all["kind"] = f.storm.Kind
	}
	if f.storm.Fraction != 0 {
		all["fraction"] = strconv.FormatFloat(f.storm.Fraction, 'f', -1, 64)
	}
	switch length := f.storm.For; {
	case length == 0:
	case f.storm.Kind == "blackout" || f.storm.Kind == "grey":
		all["outage"] = length.String()
	default:
		all["freeze"] = length.String()
	}
	return all
}

// resolve gives the parser what the file says.
func (f *runFile) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	return f.values[flag.Name], nil
}

var (
	aboutFlag  = regexp.MustCompile(`^(?:(threshold) "|--([a-z-]+))`)
	aboutPhase = regexp.MustCompile(`^phase (\d+)\b`)
)

// place puts before what is wrong with a run where in the file that was said, if it was there.
func (f *runFile) place(err error) error {
	if f == nil || exitCode(err) != exitUsage {
		return err
	}
	where := f.path
	if m := aboutFlag.FindStringSubmatch(err.Error()); m != nil {
		line, said := f.lines[m[1]+m[2]]
		if !said {
			return err // it is of the command line
		}
		where = fmt.Sprintf("%s:%d", f.path, line)
	} else if m := aboutPhase.FindStringSubmatch(err.Error()); m != nil {
		if n, _ := strconv.Atoi(m[1]); n >= 1 && n <= len(f.phases) {
			where = fmt.Sprintf("%s:%d", f.path, f.phases[n-1])
		}
	}
	return usageError{fmt.Errorf("%s: %w", where, err)}
}
