package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench"
)

// pictures are those that make sense for the run.
func (r Run) pictures() []picture {
	var all []picture
	for _, draw := range []func(Run) (picture, bool){
		knee, online, rates, returns, cohorts, herd, effort, offline, connects, roundTrips, probes, lateness, memory, processor,
	} {
		if p, ok := draw(r); ok {
			all = append(all, p)
		}
	}
	return all
}

// series is a figure of each second; nil is a gap.
func (r Run) series(figure func(i int, s bench.Second) *float64) []point {
	var points []point
	for i, s := range r.Result.Detail.Seconds {
		at := point{s.T, gap}
		if v := figure(i, s); v != nil {
			at.y = *v
		}
		points = append(points, at)
	}
	return points
}

func count(n int) *float64 { return new(float64(n)) }

// length is how long the run was, on the clock of its seconds.
func (r Run) length() float64 {
	length := 0.0
	for _, s := range r.Result.Detail.Seconds {
		if drawable(s.T) {
			length = max(length, s.T)
		}
	}
	if at := r.Result.Detail.StormAtS; at != nil && drawable(*at) {
		length = max(length, *at)
	}
	return length
}

// timeAxis is the whole run.
func (r Run) timeAxis() axis { return exactly("seconds since the first connect", 0, r.length()) }

// blow marks t0, on a clock that it is on.
func (r Run) blow(t0 float64) []layer {
	s := r.Result.Storm
	if s == nil {
		return nil
	}
	label, known := map[string]string{"kill": "node killed", "drain": "drain begins",
		"cut": "connections cut", "freeze": "node frozen", "blackout": "all nodes killed", "restart": "restart begins", "flood": "flood begins", "grey": "nodes slow"}[s.Kind]
	if !known {
		label = "storm"
	}
	return []layer{mark{at: t0, label: label}}
}

// phases marks the parts that a scenario file said; the storm has its own mark.
func (r Run) phases() (marks []layer) {
	if r.Result.Scenario != "phases" {
		return nil
	}
	for _, ph := range r.Result.Detail.Phases[min(1, len(r.Result.Detail.Phases)):] { // the first is at 0
		switch ph.Name {
		case "ramp", "hold", "churn", "silence":
			marks = append(marks, mark{at: ph.T, label: ph.Name, dash: dashes[4]})
		}
	}
	return marks
}

// backMarks are when how many were back.
func (r Run) backMarks(t0 float64) (marks []layer) {
	s := r.Result.Storm
	if s == nil {
		return nil
	}
	for _, back := range []struct {
		name  string
		after *float64
	}{{"T50", s.T50S}, {"T95", s.T95S}, {"T99", s.T99S}} {
		if back.after != nil {
			label := fmt.Sprintf("%s %s s", back.name, number(*back.after, 0.01))
			marks = append(marks, mark{at: t0 + *back.after, label: label, dash: dashes[4]})
		}
	}
	return marks
}

// most is the greatest height that can be drawn.
func most(lines ...[]point) float64 {
	top := 0.0
	for _, points := range lines {
		for _, p := range points {
			if drawable(p.y) {
				top = max(top, p.y)
			}
		}
	}
	return top
}

func online(r Run) (picture, bool) {
	ready := r.series(func(_ int, s bench.Second) *float64 { return count(s.Ready) })
	if len(ready) == 0 {
		return picture{}, false
	}
	ready = append([]point{{0, 0}}, ready...)
	c := r.Result.Conns
	p := picture{file: "online", title: "Clients online",
		note: fmt.Sprintf("%s of %s at the end, at most %s at once; one reading a second", whole(c.End), whole(c.Target), whole(c.Peak)),
		x:    r.timeAxis(), y: fromZero("clients", 0, max(most(ready), float64(c.Target)))}
	p.layers = append(p.layers, line{label: "ready", points: ready, filled: true, dots: dotted(ready)})
	p.layers = append(p.layers, r.phases()...)
	s, t0 := r.Result.Storm, r.Result.Detail.StormAtS
	if s == nil || t0 == nil {
		return p, true
	}
	before := 0.0
	for _, at := range ready {
		if at.x <= *t0 {
			before = at.y
		}
	}
	if s.IdealS != nil && (s.Kind == "kill" || s.Kind == "cut" || s.Kind == "blackout") { // all are away at once
		p.layers = append(p.layers, line{label: "ideal: back as fast as nodes admit", colour: ink, dash: dashes[1],
			points: []point{{*t0 + deref(s.IdealFromS), max(before-float64(s.Clients), 0)}, {min(*t0+*s.IdealS, r.length()), before}}})
	}
	p.layers = append(append(p.layers, r.blow(*t0)...), r.backMarks(*t0)...)
	return p, true
}

func rates(r Run) (picture, bool) {
	attempts := r.series(func(_ int, s bench.Second) *float64 { return count(s.Attempts) })
	accepts := r.series(func(_ int, s bench.Second) *float64 { return count(s.Established) })
	if most(attempts, accepts) == 0 {
		return picture{}, false
	}
	p := picture{file: "rates", title: "Attempts and accepts", note: "connects begun and WELCOMEs read, in each second",
		x: r.timeAxis(), y: fromZero("per second", 0, most(attempts, accepts))}
	p.layers = []layer{
		line{label: "connect() calls", points: during(attempts), colour: 1, steps: true},
		line{label: "welcomed", points: during(accepts), steps: true, dash: dashes[1]},
	}
	if t0 := r.Result.Detail.StormAtS; t0 != nil {
		p.layers = append(p.layers, r.blow(*t0)...)
	}
	return p, true
}

// during turns counts that are noted at the end of their second into steps that last it.
func during(counted []point) []point {
	steps := make([]point, 0, len(counted)+1)
	from := 0.0
	for _, c := range counted {
		steps = append(steps, point{from, c.y})
		from = c.x
	}
	if len(counted) > 0 {
		steps = append(steps, point{from, counted[len(counted)-1].y})
	}
	return steps
}
