package report

import (
	"fmt"
	"strconv"
)

// cohorts are the ways back of the policies that shared a storm.
func cohorts(r Run) (picture, bool) {
	p := picture{file: "cohorts", title: "The way back, by policy", note: "share of the clients of each cohort that is in service again",
		y: percent("% of the cohort's clients hit")}
	last := 0.0
	for i, c := range r.Result.Cohorts {
		back := r.distribution("return_"+strconv.Itoa(i), toSeconds)
		if back.total == 0 {
			continue
		}
		last = max(last, back.max())
		p.layers = append(p.layers, line{label: fmt.Sprintf("%s: %s of %s", c.Policy, whole(c.Back), whole(c.Clients)), colour: i, dash: dashOf(i),
			steps: true, points: back.cumulative(100 / max(back.total, float64(c.Clients)))})
	}
	p.x = exactly("seconds since the blow (t0)", 0, last)
	return p, len(p.layers) > 0
}

// probes are clients that the scenario left alone: what it did to them is collateral.
func probes(r Run) (picture, bool) {
	before, during := r.distribution("probes_before", toMs), r.distribution("probes_during", toMs)
	if r.Result.Probes == nil || during.total == 0 {
		return picture{}, false
	}
	all := []dist{during, before}
	if before.total > during.total {
		all = []dist{before, during}
	}
	p := spectrum("probes", "Round trips of the probes", fmt.Sprintf("%s round trips after the blow, of %s clients that the scenario left alone", whole(int(during.total)), whole(r.Result.Probes.Clients)), all...)
	p.layers = append(p.layers, line{label: "after the blow", points: during.spectrum(), colour: 1})
	if before.total > 0 {
		p.layers = append(p.layers, line{label: "before", points: before.spectrum(), dash: dashes[1]})
	}
	return p, true
}
