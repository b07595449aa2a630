package result

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stormSpan is the span from t0 until all clients were back, or to the end.
const stormSpan = "storm"

// span is the part of a run that a threshold is about, as its text says: a phase, the storm, or from
// one time to another.
type span struct {
	text     string
	name     string // of a phase, or stormSpan; empty: from and to
	nth      int    // which of the phases of that name, from 1; 0: all
	from, to float64
}

// parseSpan reads what stands between the brackets.
func parseSpan(text string) (*span, error) {
	s := &span{text: strings.TrimSpace(text), to: math.Inf(1)}
	from, to, times := strings.Cut(s.text, "..")
	if !times {
		name, nth, numbered := strings.Cut(s.text, "#")
		if s.name = name; numbered {
			s.nth, _ = strconv.Atoi(nth)
		}
		if name == "" || numbered && s.nth < 1 {
			return nil, fmt.Errorf("[%s] is no span: want a phase, as in [steady] or [hold#2], [storm], or times, as in [10s..20s]", text)
		}
		return s, nil
	}
	for _, end := range []struct {
		text string
		to   *float64
	}{{from, &s.from}, {to, &s.to}} {
		if end.text = strings.TrimSpace(end.text); end.text == "" {
			continue
		}
		d, err := time.ParseDuration(end.text)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("[%s]: %q is no time since the begin, as in 10s or 1m30s", text, end.text)
		}
		*end.to = d.Seconds()
	}
	if s.from >= s.to {
		return nil, fmt.Errorf("[%s] is empty: its begin is not before its end", text)
	}
	return s, nil
}

// interval is a time from one second of a run to another.
type interval struct{ from, to float64 }

func (i interval) has(at float64) bool { return at > i.from && at <= i.to }

// halfSecond is how far a span may reach beyond the run: its seconds are those whose middle is in it.
const halfSecond = 0.5

// intervals are the parts of a run that a span is, of which the end is known or, with +Inf, is yet to
// come. The error says what there is instead.
func (s *span) intervals(d *Detail, allBack *float64, end float64) ([]interval, error) {
	if s.name == "" {
		if reach := max(s.from, finite(s.to, s.from)); reach >= end+halfSecond {
			return nil, fmt.Errorf("the span %s reaches beyond the run, which took %.1f s", s.text, end)
		}
		return []interval{{s.from, min(s.to, end)}}, nil
	}
	var all []interval
	for i, p := range d.Phases {
		if p.Name != s.name {
			continue
		}
		next := end
		if i+1 < len(d.Phases) {
			next = d.Phases[i+1].T
		}
		all = append(all, interval{p.T, next})
	}
	switch {
	case len(all) == 0 && s.name == stormSpan && s.nth == 0 && d.StormAtS != nil:
		until := end
		if allBack != nil {
			until = *d.StormAtS + *allBack
		}
		return []interval{{*d.StormAtS, until}}, nil
	case len(all) == 0:
		return nil, fmt.Errorf("the run had no phase %q%s", s.name, phasesSeen(d))
	case s.nth > len(all):
		return nil, fmt.Errorf("the run had the phase %s %d times, and no %s", s.name, len(all), s.text)
	case s.nth > 0:
		return all[s.nth-1 : s.nth], nil
	}
	return all, nil
}

func finite(v, otherwise float64) float64 {
	if math.IsInf(v, 0) {
		return otherwise
	}
	return v
}

// phasesSeen lists what a reader could have meant.
func phasesSeen(d *Detail) string {
	var names []string
	for _, p := range d.Phases {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	if d.StormAtS != nil {
		names = append(names, stormSpan)
	}
	if len(names) == 0 {
		return "; nothing is known of phases"
	}
	return "; there are " + strings.Join(names, ", ")
}

// rows are the seconds of a result that a span is made of: those whose middle is in it, or the one
// that a shorter span lies in. A nil span has all.
func (s *span) rows(r *Result) ([]int, error) {
	seconds := r.Detail.Seconds
	if len(seconds) == 0 {
		return nil, fmt.Errorf("nothing is known second by second")
	}
	if s == nil {
		all := make([]int, len(seconds))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	var allBack *float64
	if r.Storm != nil {
		allBack = r.Storm.T100S
	}
	intervals, err := s.intervals(&r.Detail, allBack, max(r.WallS, seconds[len(seconds)-1].T))
	if err != nil {
		return nil, err
	}
	var all []int
	for _, in := range intervals {
		var within []int
		for i := range seconds {
			if in.has(middle(seconds, i)) {
				within = append(within, i)
			}
		}
		if len(within) == 0 {
			within = []int{secondAt(seconds, (in.from+in.to)/2)}
		}
		all = append(all, within...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// begin is when second i began.
func begin(seconds []Second, i int) float64 {
	if i == 0 {
		return 0
	}
	return seconds[i-1].T
}

// before is the second before second i; nil: there is none.
func before(seconds []Second, i int) *Second {
	if i == 0 {
		return nil
	}
	return &seconds[i-1]
}

func middle(seconds []Second, i int) float64 { return (begin(seconds, i) + seconds[i].T) / 2 }

// secondAt is the second that a time is in, or the last one.
func secondAt(seconds []Second, at float64) int {
	if i := slices.IndexFunc(seconds, func(s Second) bool { return s.T >= at }); i >= 0 {
		return i
	}
	return len(seconds) - 1
}
