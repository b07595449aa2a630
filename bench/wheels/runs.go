package main

import (
	"math"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// runs are the repeats of every measurement.
type runs struct {
	command string        // that measured
	where   func() string // the machine, the code and the date
	sizes   []int
	values  map[runKey][]results
}

func newRuns(command string) *runs {
	began := time.Now()
	return &runs{
		command: command,
		where:   func() string { return benchdoc.Where(began, "../../timingwheel", ".") },
		values:  map[runKey][]results{},
	}
}

type runKey struct {
	name string
	n    int
}

func (a *runs) add(name string, n int, r results) {
	k := runKey{name, n}
	a.values[k] = append(a.values[k], r)
}

// figure is a measurement over its repeats.
type figure struct {
	median, low, high float64
	ok                bool // taken at all
}

func (a *runs) figure(name string, n int, what string) figure {
	var v []float64
	for _, r := range a.values[runKey{name, n}] {
		if x, there := r[what]; there {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return figure{}
	}
	return figure{median(v), slices.Min(v), slices.Max(v), true}
}

// ratio is how many times as much as the wheel a subject takes. Each repeat is
// compared with the wheel's of the same minute; the median of that counts.
func (a *runs) ratio(name string, n int, what string) (float64, bool) {
	ours, theirs := a.values[runKey{"wheel", n}], a.values[runKey{name, n}]
	var v []float64
	for i := range min(len(ours), len(theirs)) {
		o, ok1 := ours[i][what]
		t, ok2 := theirs[i][what]
		if ok1 && ok2 && o > 0 {
			v = append(v, t/o)
		}
	}
	if len(v) == 0 {
		return math.NaN(), false
	}
	return median(v), true
}

func (a *runs) repeats(n int) int { return len(a.values[runKey{"wheel", n}]) }

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}
