package bench

import (
	"context"
	"fmt"
	"io"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// repeat makes one run after the other, each with the next seed, until one cannot be made. view.Each is told of each.
func repeat(ctx context.Context, asked Config, p *scenario.Plan, view View) (*result.Result, error) {
	if view.CSV != nil {
		return nil, result.Usage("--csv is not for --repeat: the seconds of each run are in its --json")
	}
	progress := view.Progress
	if progress == nil {
		progress = io.Discard
	}
	var runs []*result.Result
	var runErr error
	for i := range p.Repeat {
		one := asked
		one.Repeat, one.Seed = 0, p.Seed+uint64(i)
		fmt.Fprintf(progress, "        * run %d of %d, seed %d\n", i+1, p.Repeat, one.Seed)
		var r *result.Result
		if r, runErr = Run(ctx, one, view); r == nil {
			break
		}
		runs = append(runs, r)
		if view.Each != nil {
			view.Each(i+1, r)
		}
		if !decided(r, runErr) {
			break
		}
		runErr = nil
	}
	if len(runs) == 0 {
		return nil, runErr
	}
	all, err := result.Repeated(runs)
	if err != nil {
		return nil, err
	}
	if runErr != nil { // not all of them could be made
		all.Interrupted, all.Verdict = true, result.Invalid
		return all, runErr
	}
	return all, all.Err()
}

// searchCapacity finds out what the targets admit per second, before a storm on them.
func searchCapacity(ctx context.Context, asked Config, p *scenario.Plan, view View) (float64, error) {
	progress := view.Progress
	if progress == nil {
		progress = io.Discard
	}
	fmt.Fprintf(progress, "        * what do the targets admit? ramps get steeper until clients wait\n")
	found, err := Run(ctx, p.CapacitySearch(asked), View{Progress: view.Progress})
	if found == nil || found.Interrupted || found.FindMax == nil {
		return 0, err
	}
	f := found.FindMax
	if f.Best == 0 {
		return 0, &result.ExitError{Code: result.ExitOther, Err: fmt.Errorf("--capacity search: even at %.0f a second not all of %d clients are in at once", f.Trials[0].Load, p.Conns)}
	}
	fmt.Fprintf(progress, "        * they admit %.0f clients a second%s\n", f.Best, f.Limit())
	return f.Best, nil
}
