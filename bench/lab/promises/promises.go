// Package promises measures what a node promises while clients fall silent by the thousand,
// a node is killed or drained, and enemies come.
package promises

import (
	"context"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// Section is the part of BENCHMARKS.md about promises.
var Section = kit.Section{Name: "promises", About: "what a node promises under attack and fault",
	Code:  []string{"bench", "cmd", "codec", "internal", "server", "timingwheel"},
	Steps: steps, Measure: measure, Write: write}

// experiment is a scenario of the load test, repeated with other seeds.
type experiment struct {
	name  string
	args  []string
	runs  int
	turns bool // of its one node, the longest turn is wanted
}

// step is that of all its runs.
func (e experiment) step() kit.Step { return kit.Step{Workload: e.name, Subject: e.name} }

// command is what one run is, for the page.
func (e experiment) command() string {
	return "stormwheel " + strings.Join(append(e.args[:len(e.args):len(e.args)], "--seed", "1.."+strconv.Itoa(e.runs)), " ")
}

var siegeStep = kit.Step{Workload: "siege", Subject: "siege"}

func sizeOf(k *kit.Kept) size {
	s := sizes[k.Effort.Name]
	if n := k.Effort.Rounds; n > 0 {
		s.silences, s.storms = n, n
	}
	return s
}

func (s size) experiments() []experiment {
	return []experiment{s.silence(), s.killing(), s.draining()}
}

func steps(k *kit.Kept) []kit.Step {
	var all []kit.Step
	for _, e := range sizeOf(k).experiments() {
		all = append(all, kit.Turns(e.runs, e.step(), []string{e.name}, nil)...)
	}
	return append(all, siegeStep)
}

// tries is how often a run is repeated while the generator is too late for its figures to
// count.
const tries = 3

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	s := sizeOf(k)
	for _, e := range s.experiments() {
		if e.name == r.Subject {
			return e.measure(ctx, k, r)
		}
	}
	return s.besiege(ctx, r)
}

func (e experiment) measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	args := append(e.args[:len(e.args):len(e.args)], "--seed", strconv.Itoa(r.Round+1))
	if e.turns {
		addr, err := freeAddress()
		if err != nil {
			return err
		}
		args = append(args, "--node-arg", "admin="+addr) // instead of the one that only the load test knows
		watch := watchTurns(addr)
		defer func() {
			if turn := watch.close(); turn > 0 { // of nodes that say it
				r.Figures["turn_ms"] = turn.Seconds() * 1000
			}
		}()
	}
	return k.Stormwheel(ctx, r, tries, args...)
}

// outcome is what came of an experiment.
type outcome struct {
	runs   []*result.Result
	pooled *result.Result // the histograms of all runs, and the sums of what they counted
	turns  kit.Sample     // the longest of each run, in milliseconds; of nodes that say it
}

func (e experiment) outcome(k *kit.Kept) (o outcome, err error) {
	if o.runs, err = k.Results(e.step()); err != nil || len(o.runs) == 0 {
		return o, err
	}
	o.turns = k.Sample(e.step(), "turn_ms")
	if o.pooled = o.runs[0]; len(o.runs) > 1 {
		// That a run was invalid, or a threshold failed, is an error that comes with a result.
		if o.pooled, err = tally.Merge(o.runs, nil, false, nil); o.pooled == nil {
			return o, err
		}
	}
	return o, nil
}

// of is a figure of each run.
func (o outcome) of(figure func(*result.Result) float64) []float64 {
	var all []float64
	for _, r := range o.runs {
		all = append(all, figure(r))
	}
	return all
}
