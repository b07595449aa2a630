package result

import (
	"math"
)

// Rejudge judges a result that exists: by what its scenario promises, unless noPromises, and by what is asked
// for, or, if nothing is, by what its run was asked for. The error is an ExitError, that of the verdict
// included.
func (r *Result) Rejudge(asked []string, noPromises bool) error {
	if r.Old() {
		return Usage("its schema is %q, and only results of %q can be judged", r.Schema, Schema)
	}
	var promises, earlier []string
	for _, t := range r.Thresholds {
		switch {
		case t.Abort:
		case t.Promise:
			promises = append(promises, t.Expr)
		default:
			earlier = append(earlier, t.Expr)
		}
	}
	if noPromises {
		promises = nil
	}
	if len(asked) == 0 {
		asked = earlier
	}
	all, err := ReadThresholds(promises, asked)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.span == nil {
			continue
		}
		if _, err := t.span.rows(r); err != nil { // all is known of the run: it is no fault of its
			return Usage("threshold %q: %w", t.Expr, err)
		}
	}
	r.Promises = r.Promises && !noPromises
	if err := r.Judge(all, math.MaxInt64); err != nil { // the run has judged its punctuality
		return err
	}
	return r.Err()
}
