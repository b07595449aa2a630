package kit

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// Sample is a figure over its rounds.
type Sample struct {
	N                 int // rounds; 0: it was not measured
	Median, Low, High float64
	// From and To bound the median with a confidence of 95 %, by order statistics: how many of
	// N values lie below the median is binomial, so that no distribution is assumed. It takes
	// six rounds at least; with fewer, Known is false.
	From, To float64
	Known    bool

	values []float64 // ascending
}

const confidence = 0.95

// SampleOf sums up values, which it leaves as they are.
func SampleOf(values []float64) Sample {
	if len(values) == 0 {
		return Sample{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	s := Sample{N: n, Low: sorted[0], High: sorted[n-1], Median: sorted[n/2], values: sorted}
	if n%2 == 0 && sorted[n/2-1] != sorted[n/2] {
		s.Median = (sorted[n/2-1] + sorted[n/2]) / 2
	}
	if n < 2 {
		return s
	}
	sum := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(sorted), &benchmath.DefaultThresholds), confidence)
	if !math.IsInf(sum.Lo, 0) && !math.IsInf(sum.Hi, 0) {
		s.From, s.To, s.Known = sum.Lo, sum.Hi, true
	}
	return s
}

// Times is the sample in another unit. By what was not measured, or came to nothing, it is not measured either.
func (s Sample) Times(factor float64) Sample {
	if math.IsNaN(factor) || math.IsInf(factor, 0) {
		return Sample{}
	}
	var values []float64
	for _, v := range s.values {
		values = append(values, v*factor)
	}
	return SampleOf(values)
}
