package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// Times that grew: of the server's answers, and of the load test's own timers.

// slowFactor and slowMs are from when on round trips are told of: so many times as long as usual, and
// long enough to matter.
const slowFactor, slowMs = 5, 50

// slowness is when answers took far longer than they did in most of the run's better half. Those that nobody
// got are told of elsewhere.
func slowness(r Run, rows []result.Second) (all []happening) {
	p99 := func(s result.Second) *float64 { return s.RTTp99 }
	usual := lowerQuartile(rows, p99)
	slow := stretches(rows, func(s result.Second) bool {
		return s.Pongs > 0 && s.RTTp99 != nil && *s.RTTp99 >= max(slowMs, slowFactor*usual)
	})
	told, _ := largest(rows, slow, func(result.Second) int { return 1 })
	for _, s := range told {
		worst, at := s.worst(rows, p99)
		h := s.happens(rows, "the server answers slowly: p99 of round trips up to %s ms, at %s s; %s ms is usual in this run%s%s", short(worst), plot.Number(at, .1), short(usual),
			punctual(r, s, rows), r.meanwhile(rows[s.first].T-rows[s.first].Span, rows[s.last].T))
		h.weight = theirs
		if waiting, _ := s.worst(rows, counted(func(s result.Second) int { return s.Unanswered })); waiting == 0 { // else these are told of
			h.Label = "slow answers"
		}
		all = append(all, h)
	}
	return all
}

// punctual says that the load test kept its times meanwhile.
func punctual(r Run, s stretch, rows []result.Second) string {
	limit, _, _ := lateLimit(r.Result)
	if worst, _ := s.worst(rows, func(s result.Second) *float64 { return s.LateP99 }); worst > 0 && worst <= limit {
		return fmt.Sprintf("; the load test is punctual (late by %s ms at most)", short(worst))
	}
	return ""
}

// lowerQuartile is what a quarter of the seconds are below.
func lowerQuartile(rows []result.Second, of func(result.Second) *float64) float64 {
	var all []float64
	for _, s := range rows {
		if v := of(s); v != nil {
			all = append(all, *v)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/4]
}

// late is when the load test itself did not keep up while somebody was there to be measured.
func late(r Run, rows []result.Second) (all []happening) {
	limit, _, _ := lateLimit(r.Result)
	g := r.Result.Generator
	so := func(s result.Second) bool { return s.LateP99 != nil && *s.LateP99 > limit && (s.Ready > 0 || !g.Valid) }
	told, _ := largest(rows, stretches(rows, so), func(result.Second) int { return 1 })
	for _, s := range told {
		worst, at := s.worst(rows, func(s result.Second) *float64 { return s.LateP99 })
		h := s.happens(rows, "the load test itself is late%s: p99 up to %s ms, at %s s", s.share(rows, so), short(worst), plot.Number(at, .1))
		if h.Bad = !g.Valid; h.Bad {
			h.Label, h.weight = "load test late", ours
			h.Text += fmt.Sprintf(", where %s ms is the limit; what it measures then says little about the server", short(limit))
		} else if g.LateMs != nil {
			h.Text += fmt.Sprintf("; p99 of the whole run is %s of %s ms allowed, so that its figures count", short(g.LateMs.P99), short(limit))
		}
		all = append(all, h)
	}
	return all
}

// share says in how many of its rows something is so, if not in all.
func (s stretch) share(rows []result.Second, so func(result.Second) bool) string {
	n := 0
	for _, row := range rows[s.first : s.last+1] {
		if so(row) {
			n++
		}
	}
	if all := s.last + 1 - s.first; n < all {
		return fmt.Sprintf(" in %d of these %d seconds", n, all)
	}
	return ""
}

// short is a time of milliseconds in a few digits.
func short(ms float64) string {
	switch {
	case ms >= 100 || ms == math.Trunc(ms):
		return plot.Number(ms, 1)
	case ms >= 10:
		return plot.Number(ms, .1)
	default:
		return plot.Number(ms, .01)
	}
}
