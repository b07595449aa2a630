package live

import (
	"math"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// scale is the axis of values: linear from zero, or by decades.
type scale struct {
	low, high float64 // decimal logarithms if log
	step      float64
	log       bool
}

// newScale holds all values, which may be NaN, and least at least.
func newScale(log bool, least float64, rows int, series ...[]float64) scale {
	low, high := math.Inf(1), least
	for _, values := range series {
		for _, v := range values {
			if v > 0 { // NaN is not
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if log {
		if math.IsInf(low, 1) {
			low, high = 1, 10
		}
		from, to := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
		return scale{low: from, high: max(to, from+1), step: 1, log: true}
	}
	if high <= 0 {
		high = 1
	}
	step := max(plot.NiceStep(high/float64(max(min(rows/2, 5), 1))), 1)
	return scale{high: math.Ceil(high/step-1e-9) * step, step: step}
}

// eighths is how high a value reaches, in eighths of a row; what is more than zero is seen.
func (s scale) eighths(v float64, rows int) int {
	if !(v > 0) {
		return 0
	}
	if s.log {
		v = math.Log10(v)
	}
	share := (v - s.low) / (s.high - s.low)
	return min(max(int(math.Round(share*float64(rows*8))), 1), rows*8)
}

// labels are the axis' values by their rows, from the top: a bar of that value ends in that row.
func (s scale) labels(rows int) []string {
	all := make([]string, rows)
	for i := 0.0; s.high-i*s.step > s.low-1e-9; i++ {
		v := s.high - i*s.step
		text := plot.Number(v, s.step)
		if s.log {
			text = plot.Number(math.Pow(10, v), math.Pow(10, v))
		}
		share := (v - s.low) / (s.high - s.low)
		if r := min(rows-int(math.Ceil(share*float64(rows)-1e-9)), rows-1); all[r] == "" {
			all[r] = text
		}
	}
	return all
}
