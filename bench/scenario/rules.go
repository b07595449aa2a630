package scenario

import (
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
)

// readRules reads what was asked for. A rule that this run cannot keep is a usage error before it.
func (p *Plan) readRules() error {
	asked, err := result.ReadThresholds(nil, p.Thresholds)
	if err != nil {
		return err
	}
	if p.Aborts, err = result.NewAborts(p.AbortOn, p.AbortAfter); err != nil {
		return err
	}
	switch {
	case p.AbortAfter < 0:
		return result.Usage("--abort-after: %v is below 0", p.AbortAfter)
	case p.AbortAfter > 0 && len(p.AbortOn) == 0:
		return result.Usage("--abort-after is for --abort-on, and there is none")
	}
	return result.CheckSpans(slices.Concat(asked, p.Aborts.Thresholds()), p.Scenario, p.storms(), p.phaseNames())
}

// phaseNames are the phases that the run may enter, in their order.
func (p *Plan) phaseNames() (names []string) {
	for _, name := range append(p.Plays.Parts(&p.Config), "answers") {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
