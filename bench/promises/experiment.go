package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench"
)

// experiment is a scenario of the load test, repeated.
type experiment struct {
	args []string
	runs int
}

// outcome is what came of it.
type outcome struct {
	runs   []*bench.Result
	pooled *bench.Result // the histograms of all runs, and the sums of what they counted
}

// command is what one run is, for the page.
func (e experiment) command() string {
	return "stormwheel " + strings.Join(append(e.args[:len(e.args):len(e.args)], "--seed", "1.."+strconv.Itoa(e.runs)), " ")
}

// run leaves the result of each run in a file.
func (e experiment) run(bin, name string) (outcome, error) {
	var o outcome
	for seed := 1; seed <= e.runs; seed++ {
		r, err := e.once(bin, seed, fmt.Sprintf("%s-%d.json", name, seed))
		if err != nil {
			return o, fmt.Errorf("%s %d: %w", name, seed, err)
		}
		o.runs = append(o.runs, r)
	}
	if o.pooled = o.runs[0]; len(o.runs) > 1 {
		// That a run was invalid, or a threshold failed, is an error that comes with a result.
		var err error
		if o.pooled, err = bench.Merge(o.runs, nil, nil); o.pooled == nil {
			return o, err
		}
	}
	return o, nil
}

// tries is how often a run is repeated while the generator is too late for its figures to
// count: others may load the machine for a while.
const tries = 3

// once is one run. That a threshold failed, or that the generator was late to the last, is
// a result.
func (e experiment) once(bin string, seed int, file string) (*bench.Result, error) {
	for try := 1; ; try++ {
		cmd := exec.Command(bin, append(e.args[:len(e.args):len(e.args)], "--seed", strconv.Itoa(seed), "--json", file, "--no-tui")...)
		cmd.Stderr = os.Stderr
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit) && exit.ExitCode() == bench.ExitInvalid && try < tries:
			continue
		case errors.As(err, &exit) && slices.Contains([]int{bench.ExitThreshold, bench.ExitInvalid}, exit.ExitCode()):
		case err != nil:
			return nil, err
		}
		return read(file)
	}
}

func read(file string) (*bench.Result, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bench.ReadResult(f)
}

// of is a figure of each run.
func (o outcome) of(figure func(*bench.Result) float64) []float64 {
	var all []float64
	for _, r := range o.runs {
		all = append(all, figure(r))
	}
	return all
}

// late are the runs whose generator was too late for its figures to count.
func (o outcome) late() (n int) {
	for _, r := range o.runs {
		if r.Verdict == bench.Invalid {
			n++
		}
	}
	return n
}
