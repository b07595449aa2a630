package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// binS is the width of the bins of attempts_per_100ms.
const binS = 0.1

const binsPerSecond = 10

// returns is who was back when, to the millisecond, where online has a reading a second.
func returns(r Run) plot.Chart {
	s, back := r.Result.Storm, r.distribution("return", toSeconds)
	if s == nil || back.total == 0 {
		return nil
	}
	p := plot.Picture{Title: "The way back",
		Note: fmt.Sprintf("%s, policy %s: %s of %s clients are in service again", s.Kind, s.Policy, whole(s.Back), whole(s.Clients)),
		X:    plot.Exactly(sinceBlow, 0, max(back.max(), deref(s.IdealS))),
		Y:    plot.FromZero("clients back", 0, max(back.total, float64(s.Clients)))}
	p.Layers = append(outage(s), plot.Line{Label: "back in service", Points: back.cumulative(1), Steps: true, Filled: true})
	if s.IdealS != nil {
		p.Layers = append(p.Layers, plot.Line{Label: fmt.Sprintf("ideal: %s s", plot.Number(*s.IdealS, 0.01)), Colour: plot.Ink, Dash: plot.Dashes[1],
			Points: []plot.Point{plot.At(deref(s.IdealFromS), 0), plot.At(*s.IdealS, float64(s.Clients))}})
	}
	p.Layers = append(p.Layers, r.backMarks(0)...)
	return p
}

// herd is the load that the storm is to the nodes that are left.
func herd(r Run) plot.Chart {
	s, attempts := r.Result.Storm, r.attempts()
	if s == nil || len(attempts) == 0 {
		return nil
	}
	goodput, busiest, end := r.goodput(), 0.0, attempts[len(attempts)-1].To
	for _, b := range attempts {
		busiest = max(busiest, b.Count)
	}
	if len(goodput) > 0 {
		end = max(end, goodput[len(goodput)-1].X)
	}
	p := plot.Picture{Title: "Attempts after the blow",
		Note: fmt.Sprintf("connect() calls in bins of 100 ms; the busiest had %s per second", whole(int(busiest))),
		X:    plot.Exactly(sinceBlow, 0, end),
		Y:    plot.FromZero("per second", 0, max(busiest, most(goodput)))}
	p.Layers = append(outage(s), plot.Bins{Label: "connect() calls", Bins: attempts, Colour: 1})
	if len(goodput) > 0 {
		p.Layers = append(p.Layers, plot.Line{Label: "goodput: clients back in service", Points: goodput, Steps: true})
	}
	if s.IdealS != nil && *s.IdealS > deref(s.IdealFromS) {
		rate := float64(s.Clients) / (*s.IdealS - deref(s.IdealFromS))
		p.Layers = append(p.Layers, plot.Line{Label: fmt.Sprintf("admitted by nodes: %s per second", plot.Number(rate, 1)), Colour: plot.Ink, Dash: plot.Dashes[1],
			Points: []plot.Point{plot.At(0, rate), plot.At(p.X.Max, rate)}})
	}
	return p
}

// outage is while no node could accept.
func outage(s *result.Storm) []plot.Layer {
	if deref(s.OutageS) == 0 {
		return nil
	}
	return []plot.Layer{plot.Shade{Label: "no node runs", From: 0, To: *s.OutageS}}
}

// goodput is how many clients came back in each second, up to the last that did; of a return that was
// over within two, the rate of each bin.
func (r Run) goodput() (steps []plot.Point) {
	back := occupied(r.Result.Detail.BackPer100ms)
	width := binsPerSecond
	if len(back) <= 2*binsPerSecond {
		width = 1
	}
	for from := 0; from < len(back); from += width {
		n := 0.0
		for _, one := range back[from:min(from+width, len(back))] {
			n += float64(one)
		}
		steps = append(steps, plot.At(float64(from)*binS, n*float64(binsPerSecond/width)))
	}
	if len(steps) > 0 {
		steps = append(steps, plot.At(float64(len(steps)*width)*binS, steps[len(steps)-1].Y))
	}
	return steps
}

// occupied leaves out the empty bins at the end.
func occupied(bins []uint32) []uint32 {
	for len(bins) > 0 && bins[len(bins)-1] == 0 {
		bins = bins[:len(bins)-1]
	}
	return bins
}

// attempts are the rates after t0.
func (r Run) attempts() []plot.Bin {
	var bins []plot.Bin
	for i, n := range r.Result.Detail.AttemptsPer100ms {
		bins = append(bins, plot.Bin{From: float64(i) * binS, To: float64(i+1) * binS, Count: float64(n) / binS})
	}
	return bins
}

// effort is what each return cost.
func effort(r Run) plot.Chart {
	s, back := r.Result.Storm, r.distribution("return", toSeconds)
	attempts := r.attempts()
	if s == nil || s.AttemptsPerSuccess == nil || back.total == 0 || len(attempts) == 0 {
		return nil
	}
	made, sum := []plot.Point{plot.At(0, 0)}, 0.0
	for _, b := range attempts {
		sum += b.Count * binS
		made = append(made, plot.At(b.To, sum))
	}
	end := max(back.max(), made[len(made)-1].X)
	p := plot.Picture{Title: "Attempts per success",
		Note: fmt.Sprintf("%s connect() calls for each client that is back: the upper line over the lower", plot.Number(*s.AttemptsPerSuccess, 0.01)),
		X:    plot.Exactly(sinceBlow, 0, end), Y: plot.FromZero("so far", 0, max(sum, back.total))}
	p.Layers = []plot.Layer{
		plot.Line{Label: "connect() calls", Points: append(made, plot.At(end, sum)), Colour: 1},
		plot.Line{Label: "clients back", Points: append(back.cumulative(1), plot.At(end, back.total)), Steps: true, Dash: plot.Dashes[1]},
	}
	return p
}

func offline(r Run) plot.Chart {
	s, outages := r.Result.Storm, r.distribution("offline", toSeconds)
	if s == nil || outages.total == 0 {
		return nil
	}
	note := fmt.Sprintf("%s outages that are over", whole(int(outages.total)))
	if away := s.Clients - s.Back; away > 0 {
		note += fmt.Sprintf("; %s clients never came back and are not in it", whole(away))
	}
	p := plot.Picture{Title: "Time offline", Note: note,
		X: plot.Exactly("seconds from the loss to the return", 0, outages.max()), Y: plot.Percent("% of outages that were shorter")}
	p.Layers = []plot.Layer{plot.Line{Points: outages.cumulative(100 / outages.total), Steps: true, Filled: true}}
	return p
}
