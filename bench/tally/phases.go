package tally

import (
	"github.com/stormwheel/stormwheel/bench/result"
)

// mergePhases are the phases of parts that went through them together: each begins when the first of them enters it.
// They are null if the parts did something else, or if one had left a phase before another was in it.
func mergePhases(out *result.Result, parts []*result.Result) []result.PhaseSeen {
	var all []result.PhaseSeen
	latest := 0.0 // when the last part entered the phase before
	for i, phase := range parts[0].Detail.Phases {
		var first, last float64
		for k, p := range parts {
			if len(p.Detail.Phases) != len(parts[0].Detail.Phases) || p.Detail.Phases[i].Name != phase.Name {
				return nil
			}
			at := p.Started.Sub(out.Started).Seconds() + p.Detail.Phases[i].T
			if k == 0 {
				first, last = at, at
			}
			first, last = min(first, at), max(last, at)
		}
		if i > 0 && first < latest {
			return nil
		}
		latest = last
		all = append(all, result.PhaseSeen{Name: phase.Name, T: first})
	}
	return all
}
