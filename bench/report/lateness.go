package report

import "fmt"

// lateness is how long after their timeout silent clients were closed, beside what a node
// promises: two ticks, and 50 ms for the kernel and for the load test.
func lateness(r Run) (picture, bool) {
	late, e := r.distribution("lateness", toMs), r.Result.Eviction
	if late.total == 0 {
		return picture{}, false
	}
	ticks, promised := 2.0, 0.0
	if r.Result.Scenario == "trickle" {
		ticks = 4 // a node reads what has come before it closes
	}
	terms := r.Result.Terms
	if terms != nil && drawable(terms.TickMs) && terms.TickMs > 0 {
		promised = ticks*terms.TickMs + 50
	}
	width := niceStep(max(late.max(), promised) / 60)
	bins := late.rebinned(width)
	peak := 0.0
	for _, b := range bins {
		peak = max(peak, b.count)
	}
	p := picture{file: "lateness", title: "Lateness of evictions",
		note: fmt.Sprintf("%s of %s silent clients, %s early; close as seen, minus the last write, minus %s", whole(e.Observed), whole(e.Expected), whole(e.Early), r.patience()),
		x:    exactly("ms too late", 0, max(bins[len(bins)-1].to, promised*1.05)),
		y:    fromZero(fmt.Sprintf("clients in %s ms", number(width, width)), 0, peak)}
	if promised > 0 {
		p.layers = append(p.layers, shade{to: promised,
			label: fmt.Sprintf("promised: within %s ticks of %s ms, and 50 ms", number(ticks, 1), number(terms.TickMs, 1))})
	}
	p.layers = append(p.layers, bars{label: "evictions", bins: bins})
	return p, true
}

// patience is what the server had with the clients that the scenario silenced.
func (r Run) patience() string {
	switch t := r.Result.Terms; {
	case r.Result.Scenario == "halfopen" || r.Result.Scenario == "trickle":
		return "the deadline"
	case t != nil:
		return fmt.Sprintf("the timeout of %s ms", number(t.TimeoutMs, 1))
	default:
		return "the timeout"
	}
}
