package result

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Aborts are the rules of --abort-on: a run ends before its time when one of them has held for so long.
// Of counts they take what there is so far, or in the span, of all else the last second.
type Aborts struct {
	rules []abortRule
	after time.Duration
	taken int // seconds
}

// tickEarly is how much earlier than a second after the last one a second may end.
const tickEarly = 0.05

type abortRule struct {
	Threshold
	meter  meter
	since  *float64 // it has held since the end of that second
	actual *float64
	ended  *float64 // the run, at that second
}

// NewAborts reads the rules. Its errors are ExitErrors.
func NewAborts(exprs []string, after time.Duration) (*Aborts, error) {
	a := &Aborts{after: after}
	for _, expr := range exprs {
		t, err := ParseThreshold(expr)
		if err != nil {
			return nil, Usage("--abort-on: %w", err)
		}
		m := meterOf(t.path)
		if m == nil {
			path, _ := t.Parts()
			return nil, Usage("--abort-on %q: only the end of a run tells %s; such a rule, as %s", expr, path, spannable())
		}
		a.rules = append(a.rules, abortRule{Threshold: t, meter: m})
	}
	return a, nil
}

// Thresholds are the rules, as they are read.
func (a *Aborts) Thresholds() (all []Threshold) {
	for _, r := range a.rules {
		all = append(all, r.Threshold)
	}
	return all
}

// Take looks at the seconds that it has not seen yet, and says in words why the run is to end; empty: it
// goes on. After it has said so it says nothing more.
func (a *Aborts) Take(d *Detail) string {
	for ; a.taken < len(d.Seconds); a.taken++ {
		for i := range a.rules {
			if r := &a.rules[i]; r.take(d, a.taken, a.after.Seconds()) {
				a.taken = math.MaxInt
				return r.words(a.after)
			}
		}
	}
	return ""
}

// take reports whether the run is to end with second i.
func (r *abortRule) take(d *Detail, i int, after float64) bool {
	if !r.span.reached(d, i) {
		return false
	}
	s := &d.Seconds[i]
	if r.meter.take(before(d.Seconds, i), s) != nil {
		return false
	}
	if r.actual = r.meter.latest(); r.meter.sums() {
		r.actual = r.meter.total()
	}
	if r.actual == nil || !r.holds(*r.actual) {
		r.since = nil
		return false
	}
	if r.since == nil {
		r.since = &s.T
	}
	if s.T-*r.since < after-tickEarly {
		return false
	}
	r.ended = &s.T
	return true
}

// reached reports whether second i is in the span, as far as that is known while the run goes on.
func (s *span) reached(d *Detail, i int) bool {
	if s == nil {
		return true
	}
	intervals, _ := s.intervals(d, nil, math.Inf(1)) // none: it has not begun
	at := middle(d.Seconds, i)
	return slices.ContainsFunc(intervals, func(in interval) bool { return in.has(at) })
}

func (r *abortRule) words(after time.Duration) string {
	words := fmt.Sprintf("%s: %s; the run ends when it is %s%s", r.what(), telling(r.actual), operators[r.op], telling(&r.want))
	if after > 0 {
		words += fmt.Sprintf(" for %v", after)
	}
	return words
}

// Seen are the rules, and what has become of them.
func (a *Aborts) Seen() (all []ThresholdSeen) {
	for _, r := range a.rules {
		s := ThresholdSeen{Expr: r.Expr, Abort: true, Actual: r.actual, OK: r.ended == nil}
		if !s.OK {
			s.BrokeAtS, s.Failed = r.since, new(r.words(a.after))
		}
		all = append(all, s)
	}
	return all
}

// aborted: a rule of --abort-on ended the run.
func (r *Result) aborted() bool {
	for _, t := range r.Thresholds {
		if t.Abort && !t.OK {
			return true
		}
	}
	return false
}
