package kit

import (
	"cmp"
	"math"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// Graph is a picture of one figure: a line a subject, both axes logarithmic.
type Graph struct {
	Title, Note string
	X, Y        string  // what the axes count
	Rows        []Row   // the first is ours, and stands out; one without points is left out
	Steps       []Step  // a point each, from the left to the right; of no subject yet
	Name        string  // of the figure
	Times       float64 // from the figure's unit to the axis'; 0: the same
	Over        string  // the figure that it varies with; empty: the size
}

// SVG draws what was measured.
func (g Graph) SVG(k *Kept) string {
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), 0.0, 0.0
	p := plot.Picture{Title: g.Title, Note: g.Note, Beside: true}
	for i, row := range g.Rows {
		l := plot.Line{Label: row.Label, Colour: i, Strong: i == 0, Dots: true}
		for _, s := range g.Steps {
			x, y := float64(s.Size), k.Sample(s.Of(row.Subject), g.Name).Times(cmp.Or(g.Times, 1))
			if g.Over != "" {
				x = k.Sample(s.Of(row.Subject), g.Over).Median
			}
			if y.Median <= 0 {
				continue
			}
			l.Points = append(l.Points, plot.Point{X: x, Y: y.Median, Low: y.Low, High: y.High})
			minX, maxX = min(minX, x), max(maxX, x)
			minY, maxY = min(minY, y.Median), max(maxY, y.Median)
			if y.Low > 0 {
				minY, maxY = min(minY, y.Low), max(maxY, y.High)
			}
		}
		if len(l.Points) > 0 {
			p.Layers = append(p.Layers, l)
		}
	}
	p.X, p.Y = plot.Logarithmic(g.X, minX, maxX), plot.Logarithmic(g.Y, minY, maxY)
	return plot.SVG(p)
}
