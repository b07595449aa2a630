package report

import (
	"fmt"
	"strconv"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// cohorts are the ways back of the policies that shared a storm.
func cohorts(r Run) plot.Chart {
	p := plot.Picture{Title: "The way back, by policy", Note: "share of the clients of each cohort that is in service again",
		Y: plot.Percent("% of the cohort's clients hit")}
	last := 0.0
	for i, c := range r.Result.Cohorts {
		back := r.distribution("return_"+strconv.Itoa(i), toSeconds)
		if back.total == 0 {
			continue
		}
		last = max(last, back.max())
		p.Layers = append(p.Layers, plot.Line{Label: fmt.Sprintf("%s: %s of %s", c.Policy, whole(c.Back), whole(c.Clients)), Colour: i, Dash: plot.DashOf(i),
			Steps: true, Points: back.cumulative(100 / max(back.total, float64(c.Clients)))})
	}
	p.X = plot.Exactly(sinceBlow, 0, last)
	if len(p.Layers) == 0 {
		return nil
	}
	return p
}
