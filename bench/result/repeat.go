package result

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Repeat is one of several runs that differ in their seed alone.
type Repeat struct {
	Seed    uint64    `json:"seed"`
	Started time.Time `json:"started"`
	WallS   float64   `json:"wall_s"`
	Verdict Verdict   `json:"verdict"`
	Why     *string   `json:"why"` // it did not pass; null: it did
}

// Spread is a figure over the runs that have it.
type Spread struct {
	Path   string  `json:"path"`
	Runs   int     `json:"runs"` // that have it
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Repeated makes one result of runs that were repeated: that of the first with the worst verdict, with what became of
// all of them. A failure is worse than an invalid run, which proves nothing either way.
func Repeated(runs []*Result) (*Result, error) {
	worse := map[Verdict]int{Pass: 0, Invalid: 1, Fail: 2}
	shown := *runs[0]
	figures := map[string][]float64{}
	for _, r := range runs {
		if worse[r.Verdict] > worse[shown.Verdict] {
			shown = *r
		}
		doc, err := docOfResult(r)
		if err != nil {
			return nil, err
		}
		gather(figures, "", doc)
	}
	for _, r := range runs {
		shown.Repeats = append(shown.Repeats, Repeat{Seed: r.Seed, Started: r.Started, WallS: r.WallS, Verdict: r.Verdict, Why: r.Why()})
	}
	for _, path := range slices.Sorted(maps.Keys(figures)) {
		all := figures[path]
		slices.Sort(all)
		median := all[len(all)/2]
		if len(all)%2 == 0 {
			median = (median + all[len(all)/2-1]) / 2
		}
		shown.Spread = append(shown.Spread, Spread{Path: path, Runs: len(all), Min: all[0], Median: median, Max: all[len(all)-1]})
	}
	return &shown, nil
}

// notFigures are the parts of a result that do not tell what a run came to.
var notFigures = []string{"build", "terms", "load", "seed", "detail", "thresholds", "repeats", "spread", "parts", "find_max", "promises", "interrupted"}

// gather has the numbers of a result, by their paths.
func gather(figures map[string][]float64, path string, doc any) {
	if slices.Contains(notFigures, path) || strings.HasSuffix(path, ".pid") {
		return
	}
	below := func(step string) string { return strings.TrimPrefix(path+"."+step, ".") }
	switch d := doc.(type) {
	case map[string]any:
		for name, v := range d {
			gather(figures, below(name), v)
		}
	case []any:
		for i, v := range d {
			gather(figures, below(strconv.Itoa(i)), v)
		}
	case float64:
		figures[path] = append(figures[path], d)
	}
}

// mainFigures are those whose spread a summary has, if the run has them.
var mainFigures = []string{"conns.end", "conns.lost", "connect.rate_per_s", "connect.latency_ms.p99", "heartbeat.unanswered", "heartbeat.rtt_ms.p50", "heartbeat.rtt_ms.p99",
	"heartbeat.rtt_ms.max", "messages.latency_ms.p99", "messages.deliver_latency_ms.p99", "messages.lost", "storm.clients", "storm.outage_s", "storm.t50_s", "storm.t99_s", "storm.t100_s",
	"storm.attempts_per_success", "storm.peak_attempts_per_s", "eviction.false", "eviction.lateness_ms.p99", "handshake.per_s", "handshake.latency_ms.p99", "generator.late_ms.p99"}

// repeats has how the runs ended, and how far their figures are apart.
func (s *summary) repeats(r *Result) {
	for i, one := range r.Repeats {
		words := string(one.Verdict)
		if one.Why != nil {
			words += ": " + *one.Why
		}
		s.line("run "+strconv.Itoa(i+1), "seed %d, %.1f s, %s", one.Seed, one.WallS, words)
	}
	for _, f := range r.MainSpread() {
		s.line("spread "+f.Path, "%s", f.Words())
	}
}

// MainSpread is that of the figures that matter most, without those that are always 0.
func (r *Result) MainSpread() (all []Spread) {
	for _, path := range mainFigures {
		i := slices.IndexFunc(r.Spread, func(f Spread) bool { return f.Path == path })
		if i >= 0 && (r.Spread[i].Max != 0 || r.Spread[i].Min != 0) {
			all = append(all, r.Spread[i])
		}
	}
	return all
}

// Words are the spread for people.
func (f Spread) Words() string {
	return fmt.Sprintf("median %s, from %s to %s, of %d runs", telling(&f.Median), telling(&f.Min), telling(&f.Max), f.Runs)
}
