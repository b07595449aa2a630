package report

import (
	"math"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// rows are the seconds of a run as they are drawn: each says how long it lasted, and the last is none of
// a few milliseconds, whose rates would tell nothing.
func (r Run) rows() (all []result.Second) {
	before := 0.0
	for _, s := range r.Result.Detail.Seconds {
		if !plot.Drawable(s.T) {
			continue
		}
		if s.Span <= 0 { // an older result
			s.Span = max(s.T-before, 0)
		}
		if last := len(all) - 1; s.Span < shortest && last >= 0 {
			s = joined(all[last], s)
			all = all[:last]
		}
		all, before = append(all, s), s.T
	}
	return all
}

// shortest is how long a row must be to have rates of its own, in seconds.
const shortest = 0.1

// joined is a row with the one that follows, of which the rates are small.
func joined(a, b result.Second) result.Second {
	b.Span += a.Span
	for _, pair := range [][2]*int{{&b.Lost, &a.Lost}, {&b.Attempts, &a.Attempts}, {&b.Established, &a.Established}, {&b.Failed, &a.Failed}, {&b.Goodput, &a.Goodput},
		{&b.Pings, &a.Pings}, {&b.Pongs, &a.Pongs}, {&b.Sent, &a.Sent}, {&b.Acknowledged, &a.Acknowledged}, {&b.Delivered, &a.Delivered},
		{&b.Undelivered, &a.Undelivered}, {&b.Handshakes, &a.Handshakes}, {&b.HandshakesFailed, &a.HandshakesFailed}} {
		*pair[0] += *pair[1]
	}
	for _, pair := range [][2]**float64{{&b.GeneratorCPUS, &a.GeneratorCPUS}, {&b.MachineCPUS, &a.MachineCPUS}, {&b.StolenS, &a.StolenS}} {
		if *pair[0] != nil && *pair[1] != nil {
			*pair[0] = new(**pair[0] + **pair[1])
		}
	}
	b.Unanswered = max(b.Unanswered, a.Unanswered)
	for _, pair := range [][2]**float64{{&b.RTTp50, &a.RTTp50}, {&b.RTTp99, &a.RTTp99}, {&b.RTTMax, &a.RTTMax}, {&b.LateP99, &a.LateP99},
		{&b.MessageP50, &a.MessageP50}, {&b.MessageP99, &a.MessageP99}, {&b.DeliverP50, &a.DeliverP50}, {&b.DeliverP99, &a.DeliverP99},
		{&b.HandshakeP50, &a.HandshakeP50}, {&b.HandshakeP99, &a.HandshakeP99}} {
		if *pair[0] == nil || *pair[1] != nil && **pair[1] > **pair[0] {
			*pair[0] = *pair[1]
		}
	}
	return b
}

// perSecond is a count of a row as a rate.
func perSecond(of func(result.Second) int) func(result.Second) *float64 {
	return func(s result.Second) *float64 {
		n := float64(of(s))
		if s.Span > 0 && math.Abs(s.Span-1) > .02 { // a ticker is never quite on time
			n /= s.Span
		}
		return &n
	}
}

func counted(of func(result.Second) int) func(result.Second) *float64 {
	return func(s result.Second) *float64 { return count(of(s)) }
}

// mostPoints is how many a line over time has: a pixel each, about. Of a run with more seconds each stands
// for several, with the worst of them.
const mostPoints = 720

// stride is how many seconds a point stands for.
func (r Run) stride() int { return (len(r.Result.Detail.Seconds) + mostPoints - 1) / mostPoints }

// course is a figure of the rows; what is worse of two seconds stands for both. nil is a gap.
func (r Run) course(rows []result.Second, worse func(a, b float64) float64, figure func(result.Second) *float64) (points []plot.Point) {
	stride := max(r.stride(), 1)
	for i, s := range rows {
		y := gap
		if v := figure(s); v != nil {
			y = *v
		}
		last := len(points) - 1
		if i%stride == 0 {
			points = append(points, plot.At(s.T, y))
			continue
		}
		points[last].X = s.T
		if !plot.Drawable(points[last].Y) {
			points[last].Y = y
		} else if plot.Drawable(y) {
			points[last].Y = worse(points[last].Y, y)
		}
	}
	return points
}

func larger(a, b float64) float64  { return max(a, b) }
func smaller(a, b float64) float64 { return min(a, b) }
