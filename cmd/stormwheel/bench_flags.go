package main

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// Flags of bench whose values are words as well as numbers, by the type that their tags name.
var benchFlags = []kong.Option{
	kong.NamedMapper("workers", textFlag(readWorkers)),
	kong.NamedMapper("probes", textFlag(readProbes)),
	kong.NamedMapper("capacity", textFlag(readCapacity)),
	kong.NamedMapper("start", textFlag(func(text string) (time.Time, error) { return bench.ParseStart(text, time.Now()) })),
}

// textFlag reads a flag of one word.
func textFlag[T any](read func(string) (T, error)) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("value", &text); err != nil {
			return err
		}
		v, err := read(text)
		if err == nil {
			target.Set(reflect.ValueOf(v))
		}
		return err
	}
}

// readWorkers is the number, 0 for auto.
func readWorkers(text string) (int, error) {
	if text == "auto" {
		return 0, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		return 0, fmt.Errorf("%q is neither auto nor a number above 0", text)
	}
	return count, nil
}

// readProbes is the share, -1 for none.
func readProbes(text string) (float64, error) {
	if text == "none" {
		return -1, nil
	}
	share, err := strconv.ParseFloat(text, 64)
	if err != nil || !(share > 0 && share <= 1) {
		return 0, fmt.Errorf("%q is neither none nor a share above 0, up to 1", text)
	}
	return share, nil
}

// readCapacity is the rate, or scenario.SearchCapacity for search.
func readCapacity(text string) (float64, error) {
	if text == "search" {
		return scenario.SearchCapacity, nil
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate > 0) {
		return 0, fmt.Errorf("%q is neither search nor a number above 0", text)
	}
	return rate, nil
}

// benchHelp is the help of a scenario: the flags that are for it, and not those of others. Without
// one it is that of all.
func benchHelp(options kong.HelpOptions, parsed *kong.Context) error {
	if s := scenario.Named(scenarioOf(parsed)); s != nil {
		parsed.Selected().Help = s.Name() + ": " + s.About() + "."
		for _, f := range parsed.Selected().Flags {
			f.Hidden = f.Hidden || !scenario.Accepts(s, f.Name)
		}
	}
	return kong.DefaultHelpPrinter(options, parsed)
}

// scenarioOf is the name that follows bench, empty if there is none.
func scenarioOf(parsed *kong.Context) string {
	for _, path := range parsed.Path {
		if path.Positional == nil || parsed.Selected() == nil || parsed.Selected().Name != "run" {
			continue
		}
		name := parsed.Value(path).String()
		if !isRunFile(name) {
			return name
		}
		if file, err := readRunFile(name, parsed.Selected().Flags); err == nil {
			return file.scenario
		}
	}
	return ""
}
