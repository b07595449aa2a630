package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// experiment is a scenario of the load test, repeated.
type experiment struct {
	args  []string
	runs  int
	turns bool // of its one node, the longest turn is wanted
}

// outcome is what came of it.
type outcome struct {
	runs   []*result.Result
	pooled *result.Result // the histograms of all runs, and the sums of what they counted
	turns  []float64      // the longest of each run, in milliseconds; of nodes that say it
}

// command is what one run is, for the page.
func (e experiment) command() string {
	return "stormwheel " + strings.Join(append(e.args[:len(e.args):len(e.args)], "--seed", "1.."+strconv.Itoa(e.runs)), " ")
}

// run leaves the result of each run in a file.
func (e experiment) run(bin, name string) (outcome, error) {
	var o outcome
	for seed := 1; seed <= e.runs; seed++ {
		r, turn, err := e.once(bin, seed, fmt.Sprintf("%s-%d.json", name, seed))
		if err != nil {
			return o, fmt.Errorf("%s %d: %w", name, seed, err)
		}
		o.runs = append(o.runs, r)
		if turn > 0 {
			o.turns = append(o.turns, turn.Seconds()*1000)
		}
	}
	if o.pooled = o.runs[0]; len(o.runs) > 1 {
		// That a run was invalid, or a threshold failed, is an error that comes with a result.
		var err error
		if o.pooled, err = tally.Merge(o.runs, nil, false, nil); o.pooled == nil {
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
func (e experiment) once(bin string, seed int, file string) (r *result.Result, turn time.Duration, err error) {
	args := append(e.args[:len(e.args):len(e.args)], "--seed", strconv.Itoa(seed), "--json", file, "--no-tui")
	for try := 1; ; try++ {
		code := 0
		if code, turn, err = e.start(bin, args); err != nil {
			return nil, 0, err
		}
		switch code {
		case result.ExitInvalid:
			if try < tries {
				continue
			}
		case result.ExitPass, result.ExitThreshold:
		default:
			return nil, 0, fmt.Errorf("%s ends with code %d", bin, code)
		}
		r, err = read(file)
		return r, turn, err
	}
}

// start is one try. That its code is not zero is no error.
func (e experiment) start(bin string, args []string) (code int, turn time.Duration, err error) {
	if e.turns {
		addr, err := freeAddress()
		if err != nil {
			return 0, 0, err
		}
		args = append(args, "--node-arg", "admin="+addr) // instead of the one that only the load test knows
		watch := watchTurns(addr)
		defer func() { turn = watch.close() }()
	}
	cmd := exec.Command(bin, args...)
	cmd.Stderr = os.Stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), 0, nil
	}
	return 0, 0, err
}

func read(file string) (*result.Result, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return result.Read(f)
}

// of is a figure of each run.
func (o outcome) of(figure func(*result.Result) float64) []float64 {
	var all []float64
	for _, r := range o.runs {
		all = append(all, figure(r))
	}
	return all
}

// late are the runs whose generator was too late for its figures to count.
func (o outcome) late() (n int) {
	for _, r := range o.runs {
		if r.Verdict == result.Invalid {
			n++
		}
	}
	return n
}
