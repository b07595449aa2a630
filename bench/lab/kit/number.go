package kit

import (
	"fmt"
	"math"
	"strconv"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// Number has three significant digits or all before the point, two where it is below a tenth.
// What is infinite never came.
func Number(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return "never"
	case v < 0:
		return "-" + Number(-v)
	case v >= 99.95, v == math.Trunc(v):
		return plot.Number(math.Round(v), 1)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.0995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return fmt.Sprintf("%.2g", v)
	}
}

// Count is a number of things.
func Count(n int) string { return Number(float64(n)) }

// In is the sample with its unit: the median and, where they differ, the lowest and the
// highest.
func (s Sample) In(unit string) string {
	if s.N == 0 {
		return "-"
	}
	return spread(s.Median, s.Low, s.High, unit)
}

// quantity is a number with its unit.
func quantity(v float64, unit string) string {
	if math.IsInf(v, 0) {
		return Number(v)
	}
	return Number(v) + unit
}

// String is In without a unit.
func (s Sample) String() string { return s.In("") }

func spread(median, low, high float64, unit string) string {
	text := quantity(median, unit)
	if from, to := Number(low), Number(high); from != to {
		text += " [" + from + " - " + to + "]"
	}
	return text
}

// Seen is the sample of a figure of one run; nobody ever got there: never.
func Seen(v *float64) Sample { return SampleOf([]float64{OrNever(v)}) }

// OrNever is the figure, or what says never.
func OrNever(v *float64) float64 {
	if v == nil {
		return math.Inf(1)
	}
	return *v
}
