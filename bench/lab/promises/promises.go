// Package promises measures what a node promises while clients fall silent by the thousand,
// a node is killed or drained, and enemies come.
package promises

import (
	"context"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// Section is the part of BENCHMARKS.md about promises.
var Section = kit.Section{Name: "promises", Title: "What a node promises under attack and fault",
	Code:    []string{"bench", "cmd", "codec", "internal", "server", "timingwheel"},
	Steps:   func(k *kit.Kept) []kit.Step { return append(kit.Plays(sizeOf(k).plays()), siegeStep) },
	Measure: measure, Write: write}

var siegeStep = kit.Step{Workload: "siege", Subject: "siege"}

func sizeOf(k *kit.Kept) size {
	s := sizes[k.Effort.Name]
	if n := k.Effort.Rounds; n > 0 {
		s.silences, s.storms = n, n
	}
	return s
}

// plays are scenarios of the load test, repeated with other seeds.
func (s size) plays() []kit.Play { return []kit.Play{s.silence(), s.killing(), s.draining()} }

// tries is how often a run is repeated while the generator is too late for its figures to
// count.
const tries = 3

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	s := sizeOf(k)
	switch r.Subject {
	case siegeStep.Subject:
		return s.besiege(ctx, r)
	case silent: // of its one node, the longest turn is wanted
		addrs, err := freeport.Loopback(1)
		if err != nil {
			return err
		}
		end := watchTurns(addrs[0])
		// The address stands for the one that only the load test knows.
		err = k.Play(ctx, r, s.plays(), tries, "--node-arg", "admin="+addrs[0])
		if turn := end(); turn > 0 && err == nil { // of nodes that say it
			r.Figures["turn_ms"] = turn.Seconds() * 1000
		}
		return err
	default:
		return k.Play(ctx, r, s.plays(), tries)
	}
}

// outcome is what came of a play.
type outcome struct {
	runs   []*result.Result
	pooled *result.Result // the histograms of all runs, and the sums of what they counted
	turns  kit.Sample     // the longest of each run, in milliseconds; of nodes that say it
}

func outcomeOf(k *kit.Kept, p kit.Play) (o outcome, err error) {
	if o.runs, err = k.Results(p.Step); err != nil || len(o.runs) == 0 {
		return o, err
	}
	o.turns = k.Sample(p.Step, "turn_ms")
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
