package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// roundTrips is the whole of the distribution, its tail as wide as its middle.
func roundTrips(r Run) plot.Chart {
	due, wire := r.distribution("rtt_intended", toMs), r.distribution("rtt", toMs)
	if due.total == 0 {
		return nil
	}
	p := spectrum("Heartbeat round trips", whole(int(wire.total))+" round trips", due, wire)
	p.Layers = append(p.Layers, plot.Line{Label: "from the moment it was due", Points: due.spectrum()})
	if wire.total > 0 {
		p.Layers = append(p.Layers, plot.Line{Label: "from its write", Points: wire.spectrum(), Colour: 1, Dash: plot.Dashes[1]})
	}
	return p
}

// connects is how long clients waited to be let in.
func connects(r Run) plot.Chart {
	d := r.distribution("connect_intended", toMs)
	if d.total == 0 {
		return nil
	}
	what := whole(int(d.total)) + " arrivals"
	if returns := r.Result.Connect.Established - int(d.total); returns > 0 {
		what += fmt.Sprintf(" (%s later returns are not among them)", whole(returns))
	}
	p := spectrum("From the intended arrival to WELCOME", what, d)
	p.Layers = []plot.Layer{plot.Line{Points: d.spectrum()}}
	return p
}

// spectrum is a picture for distributions, the first of which is never shorter.
func spectrum(title, what string, all ...dist) plot.Picture {
	top := 0.0
	for _, d := range all {
		top = max(top, d.max())
	}
	return plot.Picture{Title: title, Note: what + ", by percentile; each step to the right has a tenth of them left",
		X: plot.Percentiles(all[0].total), Y: plot.Logarithmic("ms (logarithmic)", least(all...), top)}
}

// least is the smallest value above 0.
func least(all ...dist) float64 {
	small := 0.0
	for _, d := range all {
		for _, b := range d.bins {
			if b.To > 0 {
				if small == 0 || b.To < small {
					small = b.To
				}
				break
			}
		}
	}
	return small
}

// probes are clients that the scenario left alone: what it did to them is collateral.
func probes(r Run) plot.Chart {
	before, during := r.distribution("probes_before", toMs), r.distribution("probes_during", toMs)
	if r.Result.Probes == nil || during.total == 0 {
		return nil
	}
	all := []dist{during, before}
	if before.total > during.total {
		all = []dist{before, during}
	}
	p := spectrum("Round trips of the probes", fmt.Sprintf("%s round trips after the blow, of %s clients that the scenario left alone", whole(int(during.total)), whole(r.Result.Probes.Clients)), all...)
	p.Layers = append(p.Layers, plot.Line{Label: "after the blow", Points: during.spectrum(), Colour: 1})
	if before.total > 0 {
		p.Layers = append(p.Layers, plot.Line{Label: "before", Points: before.spectrum(), Dash: plot.Dashes[1]})
	}
	return p
}
