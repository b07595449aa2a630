package bench

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// How finely find-max looks: it begins at a sixteenth of the most, doubles until the goal is
// missed, and then halves the gap until it is a twentieth of what holds.
const (
	findStart = 16
	findGap   = 20
)

// search finds the knee of a load curve.
type search struct {
	most float64
	// try runs a load and reports whether the goal held.
	try func(load float64) (bool, error)

	best   float64 // the greatest load that held
	missed float64 // the smallest that did not; 0: none did
}

// run doubles until a load fails, then halves the gap. One that fails has a second try: a
// shared machine has bad moments.
func (s *search) run() error {
	twice := func(load float64) (bool, error) {
		if ok, err := s.try(load); ok || err != nil {
			return ok, err
		}
		return s.try(load)
	}
	s.most = whole(s.most)
	for load := max(s.most/findStart, 1); s.missed == 0 && s.best < s.most; load = min(2*load, s.most) {
		switch ok, err := twice(whole(load)); {
		case err != nil:
			return err
		case ok:
			s.best = whole(load)
		default:
			s.missed = whole(load)
		}
	}
	for s.missed-s.best > max(1, s.best/findGap) {
		load := whole((s.best + s.missed) / 2)
		switch ok, err := twice(load); {
		case err != nil:
			return err
		case ok:
			s.best = load
		default:
			s.missed = load
		}
	}
	return nil
}

func whole(load float64) float64 { return float64(int(load)) }

// findMax makes one run after the other, each with clients and spawned nodes of its own.
// asked is what the user said, p what that means.
func findMax(ctx context.Context, asked Config, p *scenario.Plan, view View) (*result.Result, error) {
	if view.CSV != nil {
		return nil, result.Usage("--csv is not for find-max; its trials are in the result")
	}
	progress := view.Progress
	if progress == nil {
		progress = io.Discard
	}
	found := result.FindMax{Vary: p.Vary, Goal: p.Goal}
	s := search{most: float64(p.Conns)}
	if p.Vary == scenario.VaryRate {
		s.most = p.Rate
	}
	var shown *result.Result // of the best trial, or of the smallest
	var of result.Trial
	held := map[float64]bool{} // the goal itself, by load
	began := time.Now()
	s.try = func(load float64) (bool, error) {
		fmt.Fprintf(progress, "        * trial %d: %s %.0f\n", len(found.Trials)+1, p.Vary, load)
		r, err := Run(ctx, p.Trial(asked, load, len(found.Trials)), view)
		if !decided(r, err) {
			if shown == nil {
				shown = r // better than nothing
			}
			return false, err
		}
		t := result.Trial{Load: load, Actual: r.Thresholds[0].Actual, OK: r.Verdict == result.Pass, Verdict: r.Verdict, Why: r.Why()}
		held[load] = r.Thresholds[0].OK
		found.Trials = append(found.Trials, t)
		if shown == nil || t.OK && (!of.OK || load > of.Load) || !t.OK && !of.OK && load < of.Load {
			shown, of = r, t
		}
		return t.OK, nil
	}
	searchErr := s.run()
	if shown == nil {
		return nil, searchErr
	}
	conclude(&found, &s, held[s.missed], searchErr)
	shown.Scenario, shown.FindMax, shown.Seed, shown.Detail.Command = p.Scenario, &found, p.Seed, p.Command
	shown.Promises = !p.NoPromises
	shown.Started, shown.WallS = began.UTC(), time.Since(began).Seconds()
	shown.Interrupted = ctx.Err() != nil
	if err := shown.Judge(p.Judged, p.LateLimit); err != nil {
		return nil, err
	}
	if searchErr != nil && !shown.Interrupted {
		return shown, searchErr
	}
	return shown, shown.Err()
}

// conclude notes what a search came to, and why it ended. held: at the load that it missed, the
// goal itself held.
func conclude(f *result.FindMax, s *search, held bool, err error) {
	f.Best = s.best
	if s.missed > 0 {
		f.Missed = &s.missed
	}
	switch {
	case err != nil:
		f.LimitedBy = "interrupted"
	case s.missed == 0:
		f.LimitedBy = "most"
	case lastOf(f, s.missed).Verdict == result.Invalid:
		f.LimitedBy = "generator"
	case held:
		f.LimitedBy = "server"
	default:
		f.LimitedBy = "goal"
	}
}

// decided reports whether a trial ran to its end.
func decided(r *result.Result, err error) bool {
	code := result.ExitCode(err)
	return r != nil && (code == result.ExitPass || code == result.ExitThreshold || code == result.ExitInvalid)
}

// lastOf is the last trial of a load.
func lastOf(f *result.FindMax, load float64) (last result.Trial) {
	for _, t := range f.Trials {
		if t.Load == load {
			last = t
		}
	}
	return last
}
