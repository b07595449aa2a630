package main

import (
	"math"
	"slices"
)

// median of values; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	m := s[len(s)/2]
	if len(s)%2 == 0 {
		m = (m + s[len(s)/2-1]) / 2
	}
	return m
}

// summary is a figure over the rounds: median, lowest, highest.
type summary struct {
	median, low, high float64
	rounds            int
}

func summarise(rounds map[int]figures, name string) summary {
	var values []float64
	for _, f := range rounds {
		if v, ok := f[name]; ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return summary{}
	}
	return summary{median(values), slices.Min(values), slices.Max(values), len(values)}
}

// interval is a median with its 95 % confidence interval by order statistics: how often as
// many of n values lie below the median is binomial, so that no distribution is assumed.
type interval struct {
	median, low, high float64
	n                 int
	known             bool // n is large enough; else low and high are the extremes
}

func intervalOf(values []float64) interval {
	i := interval{median: median(values), n: len(values)}
	s := slices.Sorted(slices.Values(values))
	if len(s) > 0 {
		i.low, i.high = s[0], s[len(s)-1]
	}
	// The k lowest and the k highest are left out, as long as the median is beyond them with
	// a chance of at most one in forty on each side.
	k, tail := -1, 0.0
	for j := 0; j < len(s)/2; j++ {
		if tail += choose(len(s), j) / math.Pow(2, float64(len(s))); tail > 0.025 {
			break
		}
		k = j
	}
	if k >= 0 {
		i.low, i.high, i.known = s[k], s[len(s)-1-k], true
	}
	return i
}

func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return c
}

// paired combines a figure of two servers, round by round: what disturbs the machine in one
// round disturbs both.
func paired(a, b map[int]figures, name string, combine func(x, y float64) float64) []float64 {
	var all []float64
	for round, f := range a {
		g, ok := b[round]
		if !ok {
			continue
		}
		x, okX := f[name]
		y, okY := g[name]
		if okX && okY && y != 0 {
			all = append(all, combine(x, y))
		}
	}
	return all
}

func ratio(x, y float64) float64 { return x / y }
