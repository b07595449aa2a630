package report

import (
	"fmt"
	"math"

	"github.com/stormwheel/stormwheel/bench"
)

// gap is a value that is not drawn.
var gap = math.NaN()

// binS is the width of the bins of attempts_per_100ms.
const binS = 0.1

const binsPerSecond = 10

// returns is who was back when, to the millisecond, where online has a reading a second.
func returns(r Run) (picture, bool) {
	s, back := r.Result.Storm, r.distribution("return", toSeconds)
	if s == nil || back.total == 0 {
		return picture{}, false
	}
	p := picture{file: "return", title: "The way back",
		note: fmt.Sprintf("%s, policy %s: %s of %s clients are in service again", s.Kind, s.Policy, whole(s.Back), whole(s.Clients)),
		x:    exactly("seconds since the blow (t0)", 0, max(back.max(), deref(s.IdealS))),
		y:    fromZero("clients back", 0, max(back.total, float64(s.Clients)))}
	p.layers = append(outage(s), line{label: "back in service", points: back.cumulative(1), steps: true, filled: true})
	if s.IdealS != nil {
		p.layers = append(p.layers, line{label: fmt.Sprintf("ideal: %s s", number(*s.IdealS, 0.01)), colour: ink, dash: dashes[1],
			points: []point{{deref(s.IdealFromS), 0}, {*s.IdealS, float64(s.Clients)}}})
	}
	p.layers = append(p.layers, r.backMarks(0)...)
	return p, true
}

// herd is the load that the storm is to the nodes that are left.
func herd(r Run) (picture, bool) {
	s, attempts := r.Result.Storm, r.attempts()
	if s == nil || len(attempts) == 0 {
		return picture{}, false
	}
	goodput, busiest, end := r.goodput(), 0.0, attempts[len(attempts)-1].to
	for _, b := range attempts {
		busiest = max(busiest, b.count)
	}
	if len(goodput) > 0 {
		end = max(end, goodput[len(goodput)-1].x)
	}
	p := picture{file: "attempts", title: "Attempts after the blow",
		note: fmt.Sprintf("connect() calls in bins of 100 ms; the busiest had %s per second", whole(int(busiest))),
		x:    exactly("seconds since the blow (t0)", 0, end),
		y:    fromZero("per second", 0, max(busiest, most(goodput)))}
	p.layers = append(outage(s), bars{label: "connect() calls", bins: attempts, colour: 1})
	if len(goodput) > 0 {
		p.layers = append(p.layers, line{label: "goodput: clients back in service", points: goodput, steps: true})
	}
	if s.IdealS != nil && *s.IdealS > deref(s.IdealFromS) {
		rate := float64(s.Clients) / (*s.IdealS - deref(s.IdealFromS))
		p.layers = append(p.layers, line{label: fmt.Sprintf("admitted by nodes: %s per second", number(rate, 1)), colour: ink, dash: dashes[1],
			points: []point{{0, rate}, {p.x.max, rate}}})
	}
	return p, true
}

// outage is while no node could accept.
func outage(s *bench.Storm) []layer {
	if deref(s.OutageS) == 0 {
		return nil
	}
	return []layer{shade{label: "no node runs", from: 0, to: *s.OutageS}}
}

// goodput is how many clients came back in each second, up to the last that did.
func (r Run) goodput() (steps []point) {
	back := r.Result.Detail.BackPer100ms
	for len(back) > 0 && back[len(back)-1] == 0 {
		back = back[:len(back)-1]
	}
	for from := 0; from < len(back); from += binsPerSecond {
		n := 0.0
		for _, one := range back[from:min(from+binsPerSecond, len(back))] {
			n += float64(one)
		}
		steps = append(steps, point{float64(from) * binS, n})
	}
	if len(steps) > 0 {
		steps = append(steps, point{float64(len(steps)), steps[len(steps)-1].y})
	}
	return steps
}

// attempts are the rates after t0.
func (r Run) attempts() []bin {
	var bins []bin
	for i, n := range r.Result.Detail.AttemptsPer100ms {
		bins = append(bins, bin{float64(i) * binS, float64(i+1) * binS, float64(n) / binS})
	}
	return bins
}

// effort is what each return cost.
func effort(r Run) (picture, bool) {
	s, back := r.Result.Storm, r.distribution("return", toSeconds)
	attempts := r.attempts()
	if s == nil || s.AttemptsPerSuccess == nil || back.total == 0 || len(attempts) == 0 {
		return picture{}, false
	}
	made, sum := []point{{0, 0}}, 0.0
	for _, b := range attempts {
		sum += b.count * binS
		made = append(made, point{b.to, sum})
	}
	end := max(back.max(), made[len(made)-1].x)
	p := picture{file: "attempts-per-success", title: "Attempts per success",
		note: fmt.Sprintf("%s connect() calls for each client that is back: the upper line over the lower", number(*s.AttemptsPerSuccess, 0.01)),
		x:    exactly("seconds since the blow (t0)", 0, end), y: fromZero("so far", 0, max(sum, back.total))}
	p.layers = []layer{
		line{label: "connect() calls", points: append(made, point{end, sum}), colour: 1},
		line{label: "clients back", points: append(back.cumulative(1), point{end, back.total}), steps: true, dash: dashes[1]},
	}
	return p, true
}

func offline(r Run) (picture, bool) {
	s, outages := r.Result.Storm, r.distribution("offline", toSeconds)
	if s == nil || outages.total == 0 {
		return picture{}, false
	}
	note := fmt.Sprintf("%s outages that are over", whole(int(outages.total)))
	if away := s.Clients - s.Back; away > 0 {
		note += fmt.Sprintf("; %s clients never came back and are not in it", whole(away))
	}
	p := picture{file: "offline", title: "Time offline", note: note,
		x: exactly("seconds from the loss to the return", 0, outages.max()), y: percent("% of outages that were shorter")}
	p.layers = []layer{line{points: outages.cumulative(100 / outages.total), steps: true, filled: true}}
	return p, true
}

func deref(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
