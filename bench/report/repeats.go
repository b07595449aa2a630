package report

import (
	"fmt"
)

// repeats are how the runs ended that were repeated, and how far their figures are apart.
func (r Run) repeats() (rows []figure) {
	for i, one := range r.Result.Repeats {
		words := string(one.Verdict)
		if one.Why != nil {
			words += ": " + *one.Why
		}
		name := fmt.Sprintf("run %d, seed %d", i+1, one.Seed)
		if one.Seed == r.Result.Seed {
			name += " (this page)"
		}
		rows = append(rows, figure{Name: name, Value: words})
	}
	for _, f := range r.Result.MainSpread() {
		rows = append(rows, figure{Name: f.Path, Value: f.Words()})
	}
	return rows
}
