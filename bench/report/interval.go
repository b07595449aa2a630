package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// timed names the times of the seconds of which a figure is a percentile.
type timed struct {
	times   string
	percent float64
}

// Interval is that of a cell; empty: there is none.
func (c compared) Interval(i int) string {
	if i < len(c.Intervals) {
		return c.Intervals[i]
	}
	return ""
}

// timedFigures are those of mainFigures that have such times.
var timedFigures = map[string]timed{
	"handshake p50": {"handshake", 50}, "handshake p99": {"handshake", 99}, "connect to WELCOME p99": {"connect", 99},
	"round trip p50": {"rtt", 50}, "round trip p99": {"rtt", 99}, "round trip p99.9": {"rtt", 99.9},
	"message p50": {"messages", 50}, "message p99": {"messages", 99}, "fan-out p50": {"deliveries", 50}, "fan-out p99": {"deliveries", 99},
	"generator late p99": {"late", 99},
}

// intervals are those of each run and, of all but the first, of its ratio to that: "[2.3, 2.7]" and
// "[2.3, 2.7] ([0.9, 1.1])". Where seconds do not tell it is empty. A star marks a
// ratio that is not 1, and would hardly be, whichever of its seconds had been drawn.
func (d timed) intervals(runs []Run, step float64) (all []string) {
	var first []float64
	for i, r := range runs {
		words := ""
		if t := tableOf(r.Result, d.times); t != nil {
			draws := t.draw(d.percent, uint64(i))
			if i == 0 {
				first = draws
			}
			if b := boundsOf(draws, confidence); b != nil {
				words = fmt.Sprintf("[%s, %s]", plot.Number(b.low, step), plot.Number(b.high, step))
				if ratio := ratioOf(draws, first, i); ratio != nil {
					words += fmt.Sprintf(" ([%.2f, %.2f]%s)", ratio.low, ratio.high, mark(draws, first))
				}
			}
		}
		all = append(all, words)
	}
	return all
}

// mark is a star where the draws of a run are surely not those of the first.
func mark(draws, first []float64) string {
	if sure := boundsOf(over(draws, first), certainty); sure != nil && (sure.low > 1 || sure.high < 1) {
		return "*"
	}
	return ""
}

func ratioOf(draws, first []float64, i int) *bounds {
	if i == 0 || first == nil {
		return nil
	}
	return boundsOf(over(draws, first), confidence)
}
