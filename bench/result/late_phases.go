package result

import (
	"fmt"
	"strings"
)

// A p99 of the whole run hides a phase that was late: its figures count no more than those of a run that was.

// LatePhase is how late the generator was in one part of a run.
type LatePhase struct {
	Name string
	P99  float64 // milliseconds
	Late bool    // it is beyond the limit
}

const (
	// fewestTimers is of how many a percentile of a phase is told, leastPhase for how many seconds one lasts that is.
	fewestTimers = 100
	leastPhase   = 1
)

// LatePhases are those of a run of which the seconds tell, in their order.
func (r *Result) LatePhases() (all []LatePhase) {
	limit := r.Generator.LateLimitMs
	for i, p := range r.Detail.Phases {
		until := r.WallS
		if i+1 < len(r.Detail.Phases) {
			until = r.Detail.Phases[i+1].T
		}
		if p.Name == "end" || until-p.T < leastPhase {
			continue
		}
		times := NewTimes()
		for k := range r.Detail.Seconds {
			if at := middle(r.Detail.Seconds, k); at <= p.T || at > until {
				continue
			}
			if times.Add(&r.Detail.Seconds[k], "late") != nil {
				return nil
			}
		}
		if p99 := times.Ms(99); p99 != nil && times.Count() >= fewestTimers {
			all = append(all, LatePhase{p.Name, *p99, limit > 0 && *p99 > limit})
		}
	}
	return all
}

// latenessByPhase is that of each phase, in brackets; empty where there is but one.
func (r *Result) latenessByPhase() string {
	all := r.LatePhases()
	if len(all) < 2 {
		return ""
	}
	var words []string
	for _, p := range all {
		words = append(words, fmt.Sprintf("%s %.1f", p.Name, p.P99))
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// SpoiledPhases says in which phases of a run that counts the generator was late, and what that spoils; empty: in none.
func (r *Result) SpoiledPhases() string {
	var words []string
	for _, p := range r.LatePhases() {
		if p.Late {
			words = append(words, fmt.Sprintf("%s (p99 %.1f ms)", p.Name, p.P99))
		}
	}
	if len(words) == 0 || !r.Generator.Valid {
		return ""
	}
	return fmt.Sprintf("the generator was late in %s, where %g ms is the limit: what was measured from due times there is its own lateness, and round trips and connects may be",
		listed(words), r.Generator.LateLimitMs)
}
