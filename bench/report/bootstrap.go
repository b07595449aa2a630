package report

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
)

// How sure a percentile is, the seconds of its run tell: the circular block bootstrap (Politis and Romano, 1992). As many
// seconds as there are are drawn again and again, in blocks of neighbours, since what one second has the next often
// has too, and what comes of those draws is how the percentile might as well have come out.
const (
	draws        = 1000
	fewest       = 20  // seconds, below which nothing is said
	mostUnits    = 300 // a longer run is drawn in units of several seconds
	confidence   = 95  // percent of the draws lie within an interval
	certainty    = 99  // of a ratio that is told as a difference: by 95, of few seconds, too many pairs of the same would differ
	bootstrapOne = 1   // seeds: the same results give the same intervals
)

// timeTable has what was measured in each unit of a run: how often each of some times.
type timeTable struct {
	ms    []float64 // ascending
	units [][]float64
}

// tableOf is nil if the seconds are too few, or do not tell.
func tableOf(x *result.Result, name string) *timeTable {
	seconds := x.Detail.Seconds
	if len(seconds) < fewest {
		return nil
	}
	unit := (len(seconds) + mostUnits - 1) / mostUnits
	var rows [][]result.Bar
	column := map[float64]int{}
	for chunk := range slices.Chunk(seconds, unit) {
		times := result.NewTimes()
		for i := range chunk {
			if chunk[i].Histograms == nil || times.Add(&chunk[i], name) != nil {
				return nil
			}
		}
		bars := times.Bars()
		for _, b := range bars {
			column[b.Ms] = 0
		}
		rows = append(rows, bars)
	}
	if len(column) == 0 {
		return nil
	}
	t := &timeTable{}
	for ms := range column {
		t.ms = append(t.ms, ms)
	}
	slices.Sort(t.ms)
	for i, ms := range t.ms {
		column[ms] = i
	}
	for _, bars := range rows {
		row := make([]float64, len(t.ms))
		for _, b := range bars {
			row[column[b.Ms]] = float64(b.Count)
		}
		t.units = append(t.units, row)
	}
	return t
}

// draw is what a percentile comes to, draw by draw.
func (t *timeTable) draw(percent float64, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(bootstrapOne, seed))
	n := len(t.units)
	block := max(1, int(math.Round(math.Cbrt(float64(n)))))
	all := make([]float64, draws)
	sum := make([]float64, len(t.ms))
	for d := range all {
		clear(sum)
		for drawn := 0; drawn < n; drawn += block {
			start := rng.IntN(n)
			for k := range min(block, n-drawn) {
				for i, count := range t.units[(start+k)%n] {
					sum[i] += count
				}
			}
		}
		all[d] = t.quantile(sum, percent)
	}
	return all
}

// quantile is the least time that so many percent did not exceed; NaN: nothing was drawn.
func (t *timeTable) quantile(counts []float64, percent float64) float64 {
	total := 0.0
	for _, n := range counts {
		total += n
	}
	need, seen := total*percent/100, 0.0
	for i, n := range counts {
		if seen += n; seen >= need && n > 0 {
			return t.ms[i]
		}
	}
	return math.NaN()
}

// bounds are an interval.
type bounds struct{ low, high float64 }

// boundsOf is where so many percent of the draws lie; nil if some of them had nothing.
func boundsOf(all []float64, percent int) *bounds {
	if slices.ContainsFunc(all, math.IsNaN) {
		return nil
	}
	sorted := slices.Sorted(slices.Values(all))
	lower := len(sorted) * (100 - percent) / 200
	return &bounds{sorted[lower], sorted[len(sorted)-1-lower]}
}

// over are the ratios of draws, pair by pair.
func over(a, b []float64) []float64 {
	all := make([]float64, len(a))
	for i := range a {
		all[i] = a[i] / b[i]
	}
	return all
}
