package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// timeline is the whole run: each figure over the same time, with what happened.
func timeline(r Run) plot.Chart {
	rows := r.rows()
	if len(rows) == 0 {
		return nil
	}
	t := plot.Timeline{Title: "The run over time", Note: "a reading a second", X: r.timeAxis(), Phases: r.phases()}
	if n := r.stride(); n > 1 {
		t.Note = fmt.Sprintf("the worst of each %d seconds", n)
	} else if last := rows[len(rows)-1]; math.Abs(last.Span-1) > .05 {
		t.Note += fmt.Sprintf(", the last of %s s", plot.Number(last.Span, .01))
	}
	for _, s := range strips {
		if s.of == nil || s.of(r.Result) {
			t.Panels = append(t.Panels, s.panel(r, unasked(r, rows)))
		}
	}
	t.Panels = append(t.Panels, append(r.serverPanels(), r.scrapedPanels()...)...)
	for _, h := range r.story() {
		if h.Label != "" {
			t.Events = append(t.Events, plot.Event{Span: plot.Span{Label: h.Label, From: h.At, To: h.Until}, Bad: h.Bad})
		}
	}
	return t
}

// strip is a figure over time. A new one is a row of strips.
type strip struct {
	title, none string
	titled      func(Run) string // in place of title
	log         bool
	of          func(*result.Result) bool // whether it makes sense; nil: always
	lines       []course
	limit       func(*result.Result) (v float64, name string, ok bool)
}

// course is a line of a strip.
type course struct {
	name   string
	colour int
	of     func(result.Second) *float64
	worse  func(a, b float64) float64
	fills  bool
	counts bool // in a second, not at its end
}

func hasClients(x *result.Result) bool { return x.Handshake == nil }
func hasMessages(x *result.Result) bool {
	return x.Messages != nil
}
func hasHandshakes(x *result.Result) bool { return x.Handshake != nil }

// strips are those of the clients, from what matters most to what matters less.
var strips = []strip{
	{title: "Clients online", none: "none", of: hasClients, limit: target, lines: []course{
		{name: "online", of: counted(func(s result.Second) int { return s.Ready }), worse: smaller, fills: true}}},
	{title: "PING round trips, ms", none: "none was measured", of: hasClients, log: true, limit: rttLimit, lines: []course{
		{name: "max", colour: 1, of: func(s result.Second) *float64 { return s.RTTMax }},
		{name: "p99", colour: 2, of: func(s result.Second) *float64 { return s.RTTp99 }},
		{name: "p50", of: func(s result.Second) *float64 { return s.RTTp50 }}}},
	{titled: Run.tooLong, none: "none", of: hasClients, lines: []course{
		{name: "waiting", colour: 1, of: counted(func(s result.Second) int { return s.Unanswered }), fills: true, counts: true}}},
	{titled: Run.lostTitle, none: "none", of: hasClients, lines: []course{
		{name: "lost", colour: 1, of: perSecond(func(s result.Second) int { return s.Lost }), fills: true, counts: true}}},
	{title: "Connects, per second", none: "none", of: hasClients, lines: []course{
		{name: "begun", colour: 2, of: perSecond(func(s result.Second) int { return s.Attempts }), counts: true},
		{name: "welcomed", of: perSecond(func(s result.Second) int { return s.Established }), counts: true},
		{name: "failed", colour: 1, of: perSecond(func(s result.Second) int { return s.Failed }), counts: true}}},
	{title: "Clients that fell silent", of: func(x *result.Result) bool { return x.Eviction.Expected > 0 || x.Eviction.False > 0 }, none: "none", lines: []course{
		{name: "silent", colour: 2, of: counted(func(s result.Second) int { return s.Muted })},
		{name: "evicted", of: counted(func(s result.Second) int { return s.Evicted })},
		{name: "falsely", colour: 1, of: counted(func(s result.Second) int { return s.False })}}},
	{title: "Messages, per second", none: "none", of: hasMessages, lines: []course{
		{name: "sent", colour: 2, of: perSecond(func(s result.Second) int { return s.Sent }), counts: true},
		{name: "answered", of: perSecond(func(s result.Second) int { return s.Acknowledged }), counts: true},
		{name: "arrived", colour: 3, of: perSecond(func(s result.Second) int { return s.Delivered }), counts: true},
		{name: "missing", colour: 1, of: perSecond(func(s result.Second) int { return s.Undelivered }), counts: true}}},
	{title: "Message latency p99, ms", none: "none was measured", of: hasMessages, log: true, lines: []course{
		{name: "answered", of: func(s result.Second) *float64 { return s.MessageP99 }},
		{name: "arrived", colour: 3, of: func(s result.Second) *float64 { return s.DeliverP99 }}}},
	{title: "TLS handshakes, per second", none: "none", of: hasHandshakes, lines: []course{
		{name: "ended well", of: perSecond(func(s result.Second) int { return s.Handshakes }), fills: true, counts: true},
		{name: "failed", colour: 1, of: perSecond(func(s result.Second) int { return s.HandshakesFailed }), counts: true}}},
	{title: "Handshake latency, ms", none: "none was measured", of: hasHandshakes, log: true, lines: []course{
		{name: "p99", colour: 2, of: func(s result.Second) *float64 { return s.HandshakeP99 }},
		{name: "p50", of: func(s result.Second) *float64 { return s.HandshakeP50 }}}},
	{title: "How late the load test is, p99, ms", none: "not measured", of: hasClients, limit: lateLimit, lines: []course{
		{name: "late", colour: 4, of: func(s result.Second) *float64 { return s.LateP99 }, counts: true}}},
	{titled: Run.processors, none: "not known", of: knowsProcessors, lines: []course{
		{name: "whole machine", colour: 3, of: cpuShare(wholeMachine), counts: true},
		{name: "load test", colour: 4, of: cpuShare(func(s result.Second) *float64 { return s.GeneratorCPUS }), counts: true},
		{name: "stolen by host", colour: 1, of: cpuShare(func(s result.Second) *float64 { return s.StolenS }), counts: true}}},
}

// lostTitle says what is left out of the sessions that were lost.
func (r Run) lostTitle() string {
	title := "Sessions lost, per second"
	if silenced(r.Result) {
		title += fmt.Sprintf(" (without the %s silent ones that were evicted)", whole(r.Result.Eviction.Observed))
	}
	return title
}

// processors is the title of what the load test's machine was busy with.
func (r Run) processors() string {
	if n := r.Result.Build.CPUs; n > 0 {
		return fmt.Sprintf("Processors of the load test's machine in use, of %d", n)
	}
	return "Processors of the load test's machine in use"
}

func knowsProcessors(x *result.Result) bool {
	return slices.ContainsFunc(x.Detail.Seconds, func(s result.Second) bool { return s.GeneratorCPUS != nil || s.MachineCPUS != nil })
}

// wholeMachine is what the machine was busy for in a row: at least for what the load test took, since the kernel counts that to the
// ns, and the whole by its ticks, between which short work goes unseen.
func wholeMachine(s result.Second) *float64 {
	if s.MachineCPUS == nil || s.GeneratorCPUS == nil || *s.MachineCPUS >= *s.GeneratorCPUS {
		return s.MachineCPUS
	}
	return s.GeneratorCPUS
}

// cpuShare is processor time of a row by its length: so many processors.
func cpuShare(of func(result.Second) *float64) func(result.Second) *float64 {
	return func(s result.Second) *float64 {
		v := of(s)
		if v == nil || s.Span <= 0 {
			return nil
		}
		return new(*v / s.Span)
	}
}

// panel is the strip of a run.
func (s strip) panel(r Run, rows []result.Second) plot.Panel {
	p := plot.Panel{Title: s.title, None: s.none}
	if s.titled != nil {
		p.Title = s.titled(r)
	}
	var all [][]plot.Point
	for i, c := range s.lines {
		worse := c.worse
		if worse == nil {
			worse = larger
		}
		points := r.course(rows, worse, c.of)
		if most(points) > 0 {
			all = append(all, points)
			p.Layers = append(p.Layers, plot.Line{Label: c.name, Colour: c.colour, Dash: plot.DashOf(i), Points: points, Filled: c.fills, Since: c.counts})
		}
	}
	if len(all) == 0 {
		return p
	}
	top := most(all...)
	if s.limit != nil {
		if v, name, ok := s.limit(r.Result); ok && plot.Drawable(v) {
			top = max(top, v)
			p.Layers = append([]plot.Layer{plot.Line{Label: name, Colour: plot.Ink, Dash: plot.Dashes[4], Points: []plot.Point{plot.At(0, v), plot.At(r.length(), v)}}}, p.Layers...)
		}
	}
	p.Y = plot.Low("", 0, top)
	if s.log {
		p.Y = plot.Logarithmic("", lowest(all), top)
	}
	return p
}

// lowest is the least height above 0.
func lowest(all [][]plot.Point) float64 {
	low := 0.0
	for _, p := range slices.Concat(all...) {
		if plot.Drawable(p.Y) && p.Y > 0 && (low == 0 || p.Y < low) {
			low = p.Y
		}
	}
	return low
}

// phases are the parts of the scenario, each until the next.
func (r Run) phases() (all []plot.Span) {
	phases := r.Result.Detail.Phases
	for i, p := range phases {
		end := r.length()
		if i+1 < len(phases) {
			end = phases[i+1].T
		}
		if p.Name != "end" {
			all = append(all, plot.Span{Label: p.Name, From: p.T, To: end})
		}
	}
	return all
}
