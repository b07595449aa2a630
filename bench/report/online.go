package report

import (
	"fmt"
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// online is how many clients were in service, a reading a second, after a blow ten.
func online(r Run) plot.Chart {
	ready := r.series(func(_ int, s result.Second) *float64 { return count(s.Ready) })
	if len(ready) == 0 || r.Result.Handshake != nil {
		return nil
	}
	ready = r.finer(append([]plot.Point{plot.At(0, 0)}, ready...))
	c := r.Result.Conns
	p := plot.Picture{Title: "Clients online",
		Note: fmt.Sprintf("%s of %s at the end, at most %s at once; one reading a second, ten after a blow", whole(c.End), whole(c.Target), whole(c.Peak)),
		X:    r.timeAxis(), Y: plot.FromZero("clients", 0, max(most(ready), float64(c.Target)))}
	p.Layers = append(p.Layers, plot.Line{Label: "ready", Points: ready, Filled: true, Dots: dotted(ready)})
	p.Layers = append(p.Layers, r.phaseMarks()...)
	s, t0 := r.Result.Storm, r.Result.Detail.StormAtS
	if s == nil || t0 == nil {
		return p
	}
	before := 0.0
	for _, at := range ready {
		if at.X <= *t0 {
			before = at.Y
		}
	}
	if s.IdealS != nil && (s.Kind == "kill" || s.Kind == "cut" || s.Kind == "blackout") { // all are away at once
		p.Layers = append(p.Layers, plot.Line{Label: "ideal: back as fast as nodes admit", Colour: plot.Ink, Dash: plot.Dashes[1],
			Points: []plot.Point{plot.At(*t0+deref(s.IdealFromS), max(before-float64(s.Clients), 0)), plot.At(min(*t0+*s.IdealS, r.length()), before)}})
	}
	p.Layers = append(append(p.Layers, r.blow(*t0)...), r.backMarks(*t0)...)
	return p
}

// finer puts readings every 100 ms in place of those a second in the time around the blow, as far as the bins of
// outages tell: who is gone for less than a second would not be seen.
func (r Run) finer(ready []plot.Point) []plot.Point {
	d, s := r.Result.Detail, r.Result.Storm
	if s == nil || d.StormAtS == nil || s.Kind == "flood" { // who floods was not online before
		return ready
	}
	lost, back := occupied(d.LostPer100ms), occupied(d.BackPer100ms)
	n, t0 := min(max(len(lost), len(back)), around), *d.StormAtS
	after := slices.IndexFunc(ready, func(p plot.Point) bool { return p.X > t0 })
	if n == 0 || after < 1 {
		return ready
	}
	now := ready[after-1].Y
	points := append(slices.Clone(ready[:after]), plot.At(t0, now))
	for i := range n {
		if i < len(lost) {
			now -= float64(lost[i])
		}
		if i < len(back) {
			now += float64(back[i])
		}
		if at := t0 + float64(i+1)*binS; at <= r.length() {
			points = append(points, plot.At(at, max(now, 0)))
		}
	}
	end := points[len(points)-1].X
	for _, p := range ready[after:] {
		if p.X > end {
			points = append(points, p)
		}
	}
	return points
}

// around is for how many bins after the blow finer tells more.
const around = 10 * binsPerSecond

// few is how many points still may have dots.
const few = 70

func dotted(points []plot.Point) bool {
	return len(points) <= few && slices.ContainsFunc(points, func(p plot.Point) bool { return p.Y != 0 })
}

// phaseMarks are the parts that a run file said; the storm has its own mark.
func (r Run) phaseMarks() (marks []plot.Layer) {
	if r.Result.Scenario != "phases" {
		return nil
	}
	for _, ph := range r.Result.Detail.Phases[min(1, len(r.Result.Detail.Phases)):] { // the first is at 0
		switch ph.Name {
		case "ramp", "hold", "churn", "silence":
			marks = append(marks, plot.Mark{At: ph.T, Label: ph.Name, Dash: plot.Dashes[4]})
		}
	}
	return marks
}

// rates are the connects that began and those that were welcomed, counts of each second.
func rates(r Run) plot.Chart {
	attempts := r.series(func(_ int, s result.Second) *float64 { return count(s.Attempts) })
	accepts := r.series(func(_ int, s result.Second) *float64 { return count(s.Established) })
	if most(attempts, accepts) == 0 {
		return nil
	}
	p := plot.Picture{Title: "Attempts and accepts", Note: "connects begun and WELCOMEs read, in each second",
		X: r.timeAxis(), Y: plot.FromZero("per second", 0, most(attempts, accepts))}
	p.Layers = []plot.Layer{
		plot.Line{Label: "connect() calls", Points: during(attempts), Colour: 1, Steps: true},
		plot.Line{Label: "welcomed", Points: during(accepts), Steps: true, Dash: plot.Dashes[1]},
	}
	if t0 := r.Result.Detail.StormAtS; t0 != nil {
		p.Layers = append(p.Layers, r.blow(*t0)...)
	}
	return p
}

// during turns counts that are noted at the end of their second into steps that last it.
func during(counted []plot.Point) []plot.Point {
	steps := make([]plot.Point, 0, len(counted)+1)
	from := 0.0
	for _, c := range counted {
		steps = append(steps, plot.At(from, c.Y))
		from = c.X
	}
	if len(counted) > 0 {
		steps = append(steps, plot.At(from, counted[len(counted)-1].Y))
	}
	return steps
}
