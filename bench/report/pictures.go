package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// drawing is a picture of one run or of several, by the name of its file without the ending;
// nil where it makes no sense.
type drawing[T Run | []Run] struct {
	file string
	of   func(T) plot.Chart
	part bool // of the timeline, so that a page has it there
}

// pictures are those of one run, in the order of a page.
var pictures = []drawing[Run]{
	{"timeline", timeline, false},
	{"find-max", knee, false},
	{"handshakes", shakes, true},
	{"handshake-latency", shakeLatencies, false},
	{"online", online, true},
	{"rates", rates, true},
	{"return", returns, false},
	{"cohorts", cohorts, false},
	{"attempts", herd, false},
	{"attempts-per-success", effort, false},
	{"offline", offline, false},
	{"connect", connects, false},
	{"rtt", roundTrips, false},
	{"latency", latencies, true},
	{"messages", traffic, true},
	{"message-latency", messageLatencies, false},
	{"probes", probes, false},
	{"lateness", lateness, false},
	{"memory", memory, true},
	{"cpu", processor, true},
	{"scraped", scraped, true},
}

// picture is one that makes sense.
type picture struct {
	file  string
	chart plot.Chart
	part  bool
}

// picturesOf are those of the run, or those that compare several.
func picturesOf(runs []Run) []picture {
	if len(runs) == 1 {
		return drawn(pictures, runs[0])
	}
	return drawn(overlays, runs)
}

func drawn[T Run | []Run](drawings []drawing[T], of T) (all []picture) {
	for _, d := range drawings {
		if chart := d.of(of); chart != nil {
			all = append(all, picture{d.file, chart, d.part})
		}
	}
	return all
}

// The clocks of the pictures, as their axes say.
const (
	sinceConnect = "seconds since the first connect"
	sinceBlow    = "seconds since the blow (t0)"
)

// gap is a value that is not drawn.
var gap = math.NaN()

// series is a figure of each second; nil is a gap.
func (r Run) series(figure func(i int, s result.Second) *float64) []plot.Point {
	var points []plot.Point
	for i, s := range r.Result.Detail.Seconds {
		at := plot.At(s.T, gap)
		if v := figure(i, s); v != nil {
			at.Y = *v
		}
		points = append(points, at)
	}
	return points
}

func count(n int) *float64 { return new(float64(n)) }

func deref(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// length is how long the run was in seconds, on the clock of its seconds.
func (r Run) length() float64 {
	length := 0.0
	for _, s := range r.Result.Detail.Seconds {
		if plot.Drawable(s.T) {
			length = max(length, s.T)
		}
	}
	if at := r.Result.Detail.StormAtS; at != nil && plot.Drawable(*at) {
		length = max(length, *at)
	}
	return length
}

// timeAxis is the whole run.
func (r Run) timeAxis() plot.Axis { return plot.Exactly(sinceConnect, 0, r.length()) }

// most is the greatest height that can be drawn.
func most(lines ...[]plot.Point) float64 {
	top := 0.0
	for _, points := range lines {
		for _, p := range points {
			if plot.Drawable(p.Y) {
				top = max(top, p.Y)
			}
		}
	}
	return top
}

func visible(points []plot.Point) bool { return slices.ContainsFunc(points, plot.Point.Drawable) }

// blow marks t0, on a clock that it is on.
func (r Run) blow(t0 float64) []plot.Layer {
	if r.Result.Storm == nil {
		return nil
	}
	return []plot.Layer{plot.Mark{At: t0, Label: r.blowWord()}}
}

// blowWord is what a storm did.
func (r Run) blowWord() string {
	label, known := map[string]string{"kill": "node killed", "drain": "drain begins",
		"cut": "connections cut", "freeze": "node frozen", "blackout": "all nodes killed", "restart": "restart begins", "flood": "flood begins", "grey": "nodes slow"}[r.Result.Storm.Kind]
	if !known {
		return "storm"
	}
	return label
}

// backMarks are when how many were back.
func (r Run) backMarks(t0 float64) (marks []plot.Layer) {
	s := r.Result.Storm
	if s == nil {
		return nil
	}
	for _, back := range []struct {
		name  string
		after *float64
	}{{"T50", s.T50S}, {"T95", s.T95S}, {"T99", s.T99S}} {
		if back.after != nil {
			label := fmt.Sprintf("%s %s s", back.name, plot.Number(*back.after, 0.01))
			marks = append(marks, plot.Mark{At: t0 + *back.after, Label: label, Dash: plot.Dashes[4]})
		}
	}
	return marks
}
