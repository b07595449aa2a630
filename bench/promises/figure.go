package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// figure is a row of the table.
type figure struct {
	what, wanted, got string
	runs              int
	missed            string // by how much; "": reached
}

// unit is what values are in, and how many decimals they are shown with.
type unit struct {
	name     string // with its blank
	decimals int
}

var (
	whole   = unit{"", 0}
	ratio   = unit{"", 3}
	seconds = unit{" s", 2}
	ms      = unit{" ms", 1}
	finely  = unit{" ms", 2}
)

func (u unit) text(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return "never"
	case u.decimals == 0:
		return benchdoc.Grouped(int(v)) + u.name
	default:
		return fmt.Sprintf("%.*f%s", u.decimals, v, u.name)
	}
}

// spread is the median, and the lowest and the highest where they differ.
func (u unit) spread(values []float64) string {
	low, high := u.text(slices.Min(values)), u.text(slices.Max(values))
	if low == high {
		return low
	}
	return fmt.Sprintf("%s [%s - %s]", u.text(median(values)), low, high)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// within judges the worst run: each must keep the promise.
func within(what string, u unit, low, high float64, values []float64) figure {
	f := figure{what: what, got: u.spread(values), runs: len(values)}
	switch {
	case math.IsInf(low, -1):
		f.wanted = "at most " + u.text(high)
	case low == high:
		f.wanted = u.text(high)
	default:
		f.wanted = u.text(low) + " to " + u.text(high)
	}
	missed, worst := 0, 0.0
	for _, v := range values {
		if excess := max(v-high, low-v); excess > 0 {
			missed, worst = missed+1, max(worst, excess)
		}
	}
	if missed > 0 {
		f.missed = fmt.Sprintf("missed in %d of %d runs, by %s at most", missed, len(values), u.text(worst))
		if math.IsInf(worst, 1) {
			f.missed = fmt.Sprintf("missed in %d of %d runs: not all came", missed, len(values))
		}
	}
	return f
}

func atMost(what string, u unit, most float64, values []float64) figure {
	return within(what, u, math.Inf(-1), most, values)
}

func exactly(what string, n int, values []float64) figure {
	return within(what, whole, float64(n), float64(n), values)
}

// calmly judges round trips against those before the blow: twice as long at most, or 10 ms
// longer.
func calmly(what string, runs int, before, got float64, shown string) figure {
	most := max(2*before, before+10)
	f := figure{what: what, wanted: "at most " + ms.text(most), got: shown, runs: runs}
	if got > most {
		f.missed = "missed by " + ms.text(got-most)
	}
	return f
}

func table(b *strings.Builder, all []figure) {
	b.WriteString("| promise | wanted | got | runs | |\n|---|---|---|--:|---|\n")
	for _, f := range all {
		verdict := "reached"
		if f.missed != "" {
			verdict = "**" + f.missed + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %d | %s |\n", f.what, f.wanted, f.got, f.runs, verdict)
	}
}
