package kit

import (
	"math"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// Lines draws a line a subject, with both axes logarithmic. The first subject is ours, and
// stands out; one without points is left out.
func Lines(title, note, x, y string, lines []plot.Line) string {
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), 0.0, 0.0
	p := plot.Picture{Title: title, Note: note, Beside: true}
	for i, l := range lines {
		for _, at := range l.Points {
			minX, maxX = min(minX, at.X), max(maxX, at.X)
			minY, maxY = min(minY, at.Y), max(maxY, at.Y)
			if at.Low > 0 {
				minY, maxY = min(minY, at.Low), max(maxY, at.High)
			}
		}
		l.Colour, l.Strong, l.Dots = i, i == 0, true
		if len(l.Points) > 0 {
			p.Layers = append(p.Layers, l)
		}
	}
	p.X, p.Y = plot.Logarithmic(x, minX, maxX), plot.Logarithmic(y, minY, maxY)
	return plot.SVG(p)
}

// PointOf is a sample's median, with its spread.
func PointOf(x float64, s Sample) plot.Point {
	return plot.Point{X: x, Y: s.Median, Low: s.Low, High: s.High}
}
