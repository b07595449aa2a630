package live

import (
	"fmt"
	"math"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// window is the part of the run that all graphs show, over so many columns, on one time axis.
type window struct {
	from, span float64 // seconds
	columns    int
}

// windowSpans are the lengths of the axis, in seconds. It grows in these steps, so that what is
// drawn seldom moves.
var windowSpans = []float64{30, 60, 120, 300, 600, 1200, 1800, 3600}

// newWindow has the whole run, or its last hour.
func newWindow(elapsed float64, columns int) window {
	for _, span := range windowSpans {
		if elapsed <= span {
			return window{0, span, columns}
		}
	}
	const hour, stride = 3600, 300
	return window{math.Ceil((elapsed-hour)/stride) * stride, hour, columns}
}

// column is the one in which a time lies; it may be beyond both ends.
func (w window) column(t float64) int {
	return int(math.Round((t - w.from) / w.span * float64(w.columns)))
}

// figureOf is a figure of a second; NaN: it has none.
type figureOf func(*result.Second) float64

// fold is the figure in each column: of the seconds that share one the greatest, or the least.
// A column without one is NaN.
func (w window) fold(seconds []result.Second, of figureOf, least bool) []float64 {
	values := make([]float64, w.columns)
	for i := range values {
		values[i] = math.NaN()
	}
	for i := range seconds {
		s := &seconds[i]
		v := of(s)
		if math.IsNaN(v) {
			continue
		}
		length := s.Span
		if length <= 0 {
			length = 1
		}
		first, end := w.column(s.T-length), w.column(s.T)
		if first >= end { // within one column: that of its middle
			first = int(math.Floor((s.T - length/2 - w.from) / w.span * float64(w.columns)))
			end = first + 1
		}
		for c := first; c < end; c++ {
			if c < 0 || c >= w.columns {
				continue
			}
			if old := values[c]; math.IsNaN(old) || least == (v < old) {
				values[c] = v
			}
		}
	}
	return values
}

// ticks are where the axis has a label.
func (w window) ticks() (at []int, labels []string) {
	step := w.span / 6
	if w.span == 1200 || w.span == 600 || w.span == 300 {
		step = w.span / 5
	}
	for i := 0.0; i*step < w.span; i++ {
		t := w.from + i*step
		label := fmt.Sprintf("%.0f s", t)
		if w.span > 300 {
			label = fmt.Sprintf("%.0f min", t/60)
		}
		at, labels = append(at, w.column(t)), append(labels, label)
	}
	return at, labels
}

// axis is the line under the graphs and the times below it.
func (w window) axis(l look) []string {
	line, below := []rune(strings.Repeat(l.under, w.columns)), newLane(w.columns)
	at, labels := w.ticks()
	for i, c := range at {
		if c < len(line) {
			line[c] = []rune(l.fork)[0]
		}
		below.put(c, labels[i])
	}
	return []string{
		l.faint.Render(strings.Repeat(" ", axisWidth-1) + l.corner + string(line)),
		l.faint.Render(strings.Repeat(" ", axisWidth) + below.String()),
	}
}
