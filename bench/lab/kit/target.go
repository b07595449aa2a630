package kit

import (
	"fmt"
	"math"
	"strings"
)

// Target is a figure to reach.
type Target struct {
	What string
	// AtLeast and AtMost bound the sample; nil: no bound. Both the same: exactly so.
	AtLeast, AtMost *float64
	Unit            string // of both, with its blank
	Of              Sample
	// Worst has every round keep the bounds. Else the median must: with six rounds or more
	// the whole interval that holds it decides.
	Worst bool

	Got    string // instead of the sample
	From   string // how the bound comes about
	Why    string // what stands in the way; said when it is missed
	Rounds int    // that are pooled in the sample; 0: each value is one
}

// Verdict says in one wording whether the target is reached, and if not, by how much.
func (t Target) Verdict() string {
	if t.Of.N == 0 {
		return "not measured"
	}
	values := []float64{t.Of.Median}
	switch {
	case t.Worst:
		values = t.Of.values
	case t.Of.Known && (t.excess(t.Of.From) > 0) != (t.excess(t.Of.To) > 0):
		return "not missed: the interval lies on both sides"
	}
	missed, by := 0, 0.0
	for _, v := range values {
		if excess := t.excess(v); excess > 0 {
			missed, by = missed+1, max(by, excess)
		}
	}
	if missed == 0 {
		return "reached"
	}
	how, then := " by "+Number(by)+t.Unit, ","
	if math.IsInf(by, 1) {
		how, then = " never reached", ":"
	}
	if len(values) > 1 {
		how = fmt.Sprintf(" in %d of %d rounds%s%s", missed, len(values), then, how)
	}
	if t.Why != "" {
		how += ". " + t.Why
	}
	return "**missed**" + how
}

// Missed tells whether it is, beyond doubt.
func (t Target) Missed() bool { return strings.HasPrefix(t.Verdict(), "**missed**") }

// excess is by how much a value is beyond the bounds; 0 or less: it is within.
func (t Target) excess(v float64) float64 {
	excess := math.Inf(-1)
	if t.AtMost != nil {
		excess = v - *t.AtMost
	}
	if t.AtLeast != nil {
		excess = max(excess, *t.AtLeast-v)
	}
	return excess
}

// wanted is the bound in words.
func (t Target) wanted() string {
	text := ""
	switch {
	case t.AtMost == nil && t.AtLeast == nil:
		return "-"
	case t.AtMost == nil:
		text = "at least " + Number(*t.AtLeast) + t.Unit
	case t.AtLeast == nil:
		text = "at most " + Number(*t.AtMost) + t.Unit
	case *t.AtLeast == *t.AtMost:
		text = Number(*t.AtMost) + t.Unit
	default:
		text = Number(*t.AtLeast) + " to " + Number(*t.AtMost) + t.Unit
	}
	if t.From != "" {
		text += " (" + t.From + ")"
	}
	return text
}

// got is the median, and the interval that decides or else the lowest and the highest.
func (t Target) got() string {
	switch {
	case t.Got != "":
		return t.Got
	case t.Of.Known && !t.Worst:
		return spread(t.Of.Median, t.Of.From, t.Of.To, t.Unit)
	default:
		return t.Of.In(t.Unit)
	}
}

// Cells are those of its row.
func (t Target) Cells() []string {
	return []string{t.What, t.wanted(), t.got(), Count(max(t.Rounds, t.Of.N)), t.Verdict()}
}

// Targets adds a table of them.
func (p *Page) Targets(what string, all []Target) {
	var rows [][]string
	for _, t := range all {
		rows = append(rows, t.Cells())
	}
	p.Table([]string{what, "wanted", "got", "rounds", ""}, rows)
}
