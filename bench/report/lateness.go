package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// lateness is how long after their timeout silent clients were closed, beside what a node
// promises: two ticks, and 50 ms for the kernel and for the load test.
func lateness(r Run) plot.Chart {
	late, e := r.distribution("lateness", toMs), r.Result.Eviction
	if late.total == 0 {
		return nil
	}
	ticks, promised := 2.0, 0.0
	if r.Result.Scenario == "trickle" {
		ticks = 4 // a node reads what has come before it closes
	}
	terms := r.Result.Terms
	if terms != nil && plot.Drawable(terms.TickMs) && terms.TickMs > 0 {
		promised = ticks*terms.TickMs + 50
	}
	width := plot.NiceStep(max(late.max(), promised) / 60)
	bins := late.rebinned(width)
	peak := 0.0
	for _, b := range bins {
		peak = max(peak, b.Count)
	}
	p := plot.Picture{Title: "Lateness of evictions",
		Note: fmt.Sprintf("%s of %s silent clients, %s early; close as seen, minus the last write, minus %s", whole(e.Observed), whole(e.Expected), whole(e.Early), r.patience()),
		X:    plot.Exactly("ms too late", 0, max(bins[len(bins)-1].To, promised*1.05)),
		Y:    plot.FromZero(fmt.Sprintf("clients in %s ms", plot.Number(width, width)), 0, peak)}
	if promised > 0 {
		p.Layers = append(p.Layers, plot.Shade{To: promised,
			Label: fmt.Sprintf("promised: within %s ticks of %s ms, and 50 ms", plot.Number(ticks, 1), plot.Number(terms.TickMs, 1))})
	}
	p.Layers = append(p.Layers, plot.Bins{Label: "evictions", Bins: bins})
	return p
}

// patience is what the server had with the clients that the scenario silenced.
func (r Run) patience() string {
	switch t := r.Result.Terms; {
	case r.Result.Scenario == "halfopen" || r.Result.Scenario == "trickle":
		return "the deadline"
	case t != nil:
		return fmt.Sprintf("the timeout of %s ms", plot.Number(t.TimeoutMs, 1))
	default:
		return "the timeout"
	}
}
