package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench"
)

// overlays are the pictures that compare runs. One that only one of them has is not there.
func overlays(runs []Run) []picture {
	var all []picture
	for _, draw := range []func([]Run) (picture, bool){
		onlineOverlay, returnOverlay, attemptsOverlay, effortOverlay, offlineOverlay, roundTripOverlay,
	} {
		if p, ok := draw(runs); ok {
			all = append(all, p)
		}
	}
	return all
}

// overlay adds a line of each run, in the run's colour and dashes.
func (p *picture) overlay(runs []Run, points func(Run) []point, steps bool) (lines [][]point) {
	for i, r := range runs {
		l := line{label: r.Name, colour: i, dash: dashOf(i), points: points(r), steps: steps}
		if len(l.parts()) > 0 {
			p.layers, lines = append(p.layers, l), append(lines, l.points)
		}
	}
	return lines
}

// reach is the first and the last place of the lines that can be drawn.
func reach(lines [][]point) (first, last float64) {
	for _, points := range lines {
		for _, p := range points {
			if drawable(p.x) {
				first, last = min(first, p.x), max(last, p.x)
			}
		}
	}
	return first, last
}

func onlineOverlay(runs []Run) (picture, bool) {
	stormed := true
	for _, r := range runs {
		stormed = stormed && r.Result.Detail.StormAtS != nil
	}
	p := picture{file: "online", title: "Clients online", note: "share of the clients that the run asked for; one reading a second", y: percent("% of the clients")}
	label := "seconds since the first connect"
	if stormed {
		label = "seconds since the blow (t0)"
	}
	lines := p.overlay(runs, func(r Run) []point {
		points := r.series(func(_ int, s bench.Second) *float64 {
			return new(100 * float64(s.Ready) / float64(max(r.Result.Conns.Target, 1)))
		})
		if stormed {
			for i := range points {
				points[i].x -= *r.Result.Detail.StormAtS
			}
		}
		return points
	}, false)
	first, last := reach(lines)
	p.x = exactly(label, first, last)
	if stormed {
		p.layers = append(p.layers, mark{at: 0, label: "t0"})
	}
	return p, len(lines) > 1
}

func returnOverlay(runs []Run) (picture, bool) {
	p := picture{file: "return", title: "The way back", note: "share of the clients hit that is in service again", y: percent("% of the clients hit")}
	lines := p.overlay(runs, func(r Run) []point {
		back := r.distribution("return", toSeconds)
		if r.Result.Storm == nil || back.total == 0 {
			return nil
		}
		return back.cumulative(100 / max(back.total, float64(r.Result.Storm.Clients)))
	}, true)
	_, last := reach(lines)
	if ideal, same := idealOf(runs); same {
		p.layers = append(p.layers, line{label: fmt.Sprintf("ideal: %s s", number(ideal, .01)), colour: ink, dash: dashes[6], points: []point{{0, 0}, {ideal, 100}}})
		last = max(last, ideal)
	}
	p.x = exactly("seconds since the blow (t0)", 0, last)
	return p, len(lines) > 1
}

// idealOf is the ideal of all, if it is one.
func idealOf(runs []Run) (ideal float64, same bool) {
	for i, r := range runs {
		if r.Result.Storm == nil || r.Result.Storm.IdealS == nil || i > 0 && deref(r.Result.Storm.IdealS) != ideal {
			return 0, false
		}
		ideal = *r.Result.Storm.IdealS
	}
	return ideal, len(runs) > 0
}

func attemptsOverlay(runs []Run) (picture, bool) {
	p := picture{file: "attempts", title: "Attempts after the blow", note: "connect() calls in bins of 100 ms, shown per second"}
	lines := p.overlay(runs, func(r Run) []point {
		var points []point
		bins := r.attempts()
		for _, b := range bins {
			points = append(points, point{b.from, b.count})
		}
		if len(bins) > 0 {
			points = append(points, point{bins[len(bins)-1].to, 0})
		}
		return points
	}, true)
	_, last := reach(lines)
	p.x, p.y = exactly("seconds since the blow (t0)", 0, last), fromZero("per second", 0, most(lines...))
	return p, len(lines) > 1
}

// effortOverlay has a bar a run: a figure each, not a course.
func effortOverlay(runs []Run) (picture, bool) {
	p := picture{file: "attempts-per-success", title: "Attempts per success", note: "connect() calls after the blow, by the clients that are back", x: axis{min: 0, max: float64(len(runs))}}
	top, shown := 0.0, 0
	for i, r := range runs {
		at := tick{float64(i) + .5, r.Name}
		if s := r.Result.Storm; s != nil && s.AttemptsPerSuccess != nil && drawable(*s.AttemptsPerSuccess) {
			v := *s.AttemptsPerSuccess
			at.label += " " + number(v, .01)
			top, shown = max(top, v), shown+1
			p.layers = append(p.layers, bars{colour: i, bins: []bin{{float64(i) + .2, float64(i) + .8, v}}})
		}
		p.x.ticks = append(p.x.ticks, at)
	}
	p.y = fromZero("connect() calls per client", 0, top)
	return p, shown > 1
}

func offlineOverlay(runs []Run) (picture, bool) {
	p := picture{file: "offline", title: "Time offline", note: "outages that are over", y: percent("% of outages that were shorter")}
	lines := p.overlay(runs, func(r Run) []point {
		outages := r.distribution("offline", toSeconds)
		if outages.total == 0 {
			return nil
		}
		return outages.cumulative(100 / outages.total)
	}, true)
	_, last := reach(lines)
	p.x = exactly("seconds from the loss to the return", 0, last)
	return p, len(lines) > 1
}

func roundTripOverlay(runs []Run) (picture, bool) {
	p := picture{file: "rtt", title: "Heartbeat round trips", note: "from the write of each PING, by percentile; each step to the right has a tenth of them left"}
	var all []dist
	most, total := 0.0, 0.0
	lines := p.overlay(runs, func(r Run) []point {
		d := r.distribution("rtt", toMs)
		all, most, total = append(all, d), max(most, d.max()), max(total, d.total)
		return d.spectrum()
	}, false)
	p.x, p.y = percentiles(total), logarithmic("ms (logarithmic)", least(all...), most)
	return p, len(lines) > 1
}
