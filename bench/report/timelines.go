package report

import (
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// timelines lay runs over each other: a line of each in every panel. If all had a storm, t0 is the same
// moment for all.
func timelines(runs []Run) plot.Chart {
	t := plot.Timeline{Title: "The runs over time", Note: "one reading a second", Legend: true}
	stormed, first, last := true, 0.0, 0.0
	for _, r := range runs {
		stormed = stormed && r.Result.Detail.StormAtS != nil
	}
	begin := func(r Run) float64 {
		if stormed {
			return *r.Result.Detail.StormAtS
		}
		return 0
	}
	for _, r := range runs {
		if rows := r.rows(); len(rows) > 0 {
			first, last = min(first, -begin(r)), max(last, rows[len(rows)-1].T-begin(r))
		}
	}
	t.X = plot.Exactly(sinceConnect, first, last)
	if stormed {
		t.X.Label = sinceBlow
		t.Events = []plot.Event{{Span: plot.Span{Label: "t0"}}}
	}
	for _, s := range shared {
		if p, n := s.panel(runs, begin); n > 1 {
			t.Panels = append(t.Panels, p)
		}
	}
	if len(t.Panels) == 0 {
		return nil
	}
	return t
}

// together is a figure of several runs. A new one is a row of shared.
type together struct {
	title, none string
	log         bool
	of          func(*result.Result) bool // whether it makes sense
	figure      func(*result.Result, result.Second) *float64
}

// shared are those that a comparison shows.
var shared = []together{
	{"Clients online, % of those asked for", "none", false, hasClients, func(x *result.Result, s result.Second) *float64 {
		return new(100 * float64(s.Ready) / float64(max(x.Conns.Target, 1)))
	}},
	{"PING round trip p99, ms", "none was measured", true, hasClients, anyRun(func(s result.Second) *float64 { return s.RTTp99 })},
	{"PINGs waiting too long", "none", false, hasClients, anyRun(counted(func(s result.Second) int { return s.Unanswered }))},
	{"Sessions lost, per second", "none", false, hasClients, anyRun(perSecond(func(s result.Second) int { return s.Lost }))},
	{"Attempts to connect, per second", "none", false, hasClients, anyRun(perSecond(func(s result.Second) int { return s.Attempts }))},
	{"Attempts that failed, per second", "none", false, hasClients, anyRun(perSecond(func(s result.Second) int { return s.Failed }))},
	{"Messages answered, per second", "none", false, hasMessages, anyRun(perSecond(func(s result.Second) int { return s.Acknowledged }))},
	{"Message latency p99, ms", "none was measured", true, hasMessages, anyRun(func(s result.Second) *float64 { return s.MessageP99 })},
	{"TLS handshakes, per second", "none", false, hasHandshakes, anyRun(perSecond(func(s result.Second) int { return s.Handshakes }))},
	{"How late the load test is, p99, ms", "not measured", false, hasClients, anyRun(func(s result.Second) *float64 { return s.LateP99 })},
}

// anyRun is a figure that means the same in all runs.
func anyRun(of func(result.Second) *float64) func(*result.Result, result.Second) *float64 {
	return func(_ *result.Result, s result.Second) *float64 { return of(s) }
}

// panel has a line of each run that has the figure; n is how many.
func (t together) panel(runs []Run, begin func(Run) float64) (p plot.Panel, n int) {
	p = plot.Panel{Title: t.title, None: t.none}
	var all [][]plot.Point
	for i, r := range runs {
		if !t.of(r.Result) {
			continue
		}
		n++
		points := r.course(r.rows(), larger, func(s result.Second) *float64 { return t.figure(r.Result, s) })
		for k := range points {
			points[k].X -= begin(r)
		}
		all = append(all, points)
		p.Layers = append(p.Layers, plot.Line{Label: r.Name, Colour: i, Dash: plot.DashOf(i), Points: points})
	}
	top := most(all...)
	if top == 0 {
		p.Layers = nil
	}
	p.Y = plot.Low("", 0, top)
	if t.log {
		p.Y = plot.Logarithmic("", lowest(all), top)
	}
	return p, n
}
