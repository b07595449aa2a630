package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// overlays are the pictures that compare runs, by the names of their files. One that only one
// of the runs has is not there.
var overlays = []drawing[[]Run]{
	{"handshake-latency", shakesOverlay, false},
	{"timeline", timelines, false},
	{"online", onlineOverlay, true},
	{"return", returnOverlay, false},
	{"attempts", attemptsOverlay, false},
	{"attempts-per-success", effortOverlay, false},
	{"offline", offlineOverlay, false},
	{"rtt", roundTripOverlay, false},
	{"message-latency", messageOverlay, false},
	{"delivery-latency", deliveryOverlay, false},
}

// overlay is a picture with a line of each run, in the run's colour and dashes; nil if it
// would be one line alone.
func overlay(p plot.Picture, lines []plot.Line) plot.Chart {
	if len(lines) < 2 {
		return nil
	}
	layers := make([]plot.Layer, 0, len(lines)+len(p.Layers))
	for _, l := range lines {
		layers = append(layers, l)
	}
	p.Layers = append(layers, p.Layers...)
	return p
}

// linesOf has a line of each run that has points which can be drawn.
func linesOf(runs []Run, points func(Run) []plot.Point, steps bool) (lines []plot.Line) {
	for i, r := range runs {
		if points := points(r); visible(points) {
			lines = append(lines, plot.Line{Label: r.Name, Colour: i, Dash: plot.DashOf(i), Points: points, Steps: steps})
		}
	}
	return lines
}

// reach is the first and the last place of the lines that can be drawn.
func reach(lines []plot.Line) (first, last float64) {
	for _, l := range lines {
		for _, p := range l.Points {
			if plot.Drawable(p.X) {
				first, last = min(first, p.X), max(last, p.X)
			}
		}
	}
	return first, last
}

func onlineOverlay(runs []Run) plot.Chart {
	stormed := true
	for _, r := range runs {
		stormed = stormed && r.Result.Detail.StormAtS != nil
	}
	p := plot.Picture{Title: "Clients online", Note: "share of the clients that the run asked for; one reading a second, ten after a blow", Y: plot.Percent("% of the clients")}
	lines := linesOf(runs, func(r Run) []plot.Point {
		if r.Result.Handshake != nil {
			return nil
		}
		points := r.finer(r.series(func(_ int, s result.Second) *float64 { return count(s.Ready) }))
		for i := range points {
			points[i].Y *= 100 / float64(max(r.Result.Conns.Target, 1))
		}
		if stormed {
			for i := range points {
				points[i].X -= *r.Result.Detail.StormAtS
			}
		}
		return points
	}, false)
	first, last := reach(lines)
	p.X = plot.Exactly(sinceConnect, first, last)
	if stormed {
		p.X.Label = sinceBlow
		p.Layers = []plot.Layer{plot.Mark{At: 0, Label: "t0"}}
	}
	return overlay(p, lines)
}

func returnOverlay(runs []Run) plot.Chart {
	p := plot.Picture{Title: "The way back", Note: "share of the clients hit that is in service again", Y: plot.Percent("% of the clients hit")}
	lines := linesOf(runs, func(r Run) []plot.Point {
		back := r.distribution("return", toSeconds)
		if r.Result.Storm == nil || back.total == 0 {
			return nil
		}
		return back.cumulative(100 / max(back.total, float64(r.Result.Storm.Clients)))
	}, true)
	_, last := reach(lines)
	if ideal, same := idealOf(runs); same {
		p.Layers = []plot.Layer{plot.Line{Label: fmt.Sprintf("ideal: %s s", plot.Number(ideal, .01)), Colour: plot.Ink, Dash: plot.Dashes[6],
			Points: []plot.Point{plot.At(0, 0), plot.At(ideal, 100)}}}
		last = max(last, ideal)
	}
	p.X = plot.Exactly(sinceBlow, 0, last)
	return overlay(p, lines)
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

func attemptsOverlay(runs []Run) plot.Chart {
	lines := linesOf(runs, func(r Run) []plot.Point {
		var points []plot.Point
		bins := r.attempts()
		for _, b := range bins {
			points = append(points, plot.At(b.From, b.Count))
		}
		if len(bins) > 0 {
			points = append(points, plot.At(bins[len(bins)-1].To, 0))
		}
		return points
	}, true)
	_, last := reach(lines)
	top := 0.0
	for _, l := range lines {
		top = max(top, most(l.Points))
	}
	return overlay(plot.Picture{Title: "Attempts after the blow", Note: "connect() calls in bins of 100 ms, shown per second",
		X: plot.Exactly(sinceBlow, 0, last), Y: plot.FromZero("per second", 0, top)}, lines)
}

// effortOverlay has a bar a run: a figure each, not a course.
func effortOverlay(runs []Run) plot.Chart {
	p := plot.Bars{Title: "Attempts per success", Note: "connect() calls after the blow, by the clients that are back", Unit: "connect() calls per client"}
	for i, r := range runs {
		if s := r.Result.Storm; s != nil && s.AttemptsPerSuccess != nil && plot.Drawable(*s.AttemptsPerSuccess) {
			p.Bars = append(p.Bars, plot.Bar{Label: r.Name, Colour: i, Parts: []float64{*s.AttemptsPerSuccess}})
		}
	}
	if len(p.Bars) < 2 {
		return nil
	}
	return p
}

func offlineOverlay(runs []Run) plot.Chart {
	lines := linesOf(runs, func(r Run) []plot.Point {
		outages := r.distribution("offline", toSeconds)
		if outages.total == 0 {
			return nil
		}
		return outages.cumulative(100 / outages.total)
	}, true)
	_, last := reach(lines)
	return overlay(plot.Picture{Title: "Time offline", Note: "outages that are over",
		X: plot.Exactly("seconds from the loss to the return", 0, last), Y: plot.Percent("% of outages that were shorter")}, lines)
}

func roundTripOverlay(runs []Run) plot.Chart {
	return spectrumOverlay(runs, "Heartbeat round trips", "from the write of each PING", "rtt")
}

// spectrumOverlay is a distribution of each run, in milliseconds.
func spectrumOverlay(runs []Run, title, what, name string) plot.Chart {
	var all []dist
	longest := dist{}
	lines := linesOf(runs, func(r Run) []plot.Point {
		d := r.distribution(name, toMs)
		if all = append(all, d); d.total > longest.total {
			longest = d
		}
		return d.spectrum()
	}, false)
	return overlay(spectrum(title, what, append([]dist{longest}, all...)...), lines)
}
