package report

import (
	"slices"

	"github.com/go-analyze/charts/chartdraw"
)

// layer is something in a picture.
type layer interface {
	key() key // in the legend; without a label it is not there
	paint(pen)
}

// look is how a line or an area looks; the class says the colour.
type look struct {
	class string
	dash  []float64
	fills bool
}

type point struct{ x, y float64 }

// line joins points; steps: each holds until the next one. A point that cannot be drawn
// is a gap.
type line struct {
	label  string
	colour int
	dash   []float64
	points []point
	steps  bool
	filled bool // down to 0
	dots   bool // show the points, for they are few
}

// bars are filled from 0.
type bars struct {
	label  string
	colour int
	bins   []bin
}

// scatter is dots alone.
type scatter struct {
	label  string
	colour int
	points []point
}

// shade marks a span of the horizontal axis.
type shade struct {
	label    string
	from, to float64
}

func (l line) key() key {
	return key{label: l.label, style: look{class: "l" + digit(l.colour), dash: l.dash}}
}
func (b bars) key() key {
	return key{label: b.label, style: look{class: "f" + digit(b.colour), fills: true}}
}
func (s scatter) key() key {
	return key{label: s.label, style: look{class: "f" + digit(s.colour), fills: true}}
}
func (s shade) key() key { return key{label: s.label, style: look{class: "span", fills: true}} }
func (m mark) key() key  { return key{} }

func (l line) paint(p pen) {
	for _, part := range l.parts() {
		pixels := p.path(part, l.steps)
		if l.filled {
			p.r.SetClassName("a" + digit(l.colour))
			p.move(pixels)
			p.r.LineTo(pixels[len(pixels)-1][0], p.y(0))
			p.r.LineTo(pixels[0][0], p.y(0))
			p.r.Close()
			p.r.Fill()
		}
		p.r.SetClassName("l" + digit(l.colour))
		p.r.SetStrokeDashArray(l.dash)
		p.move(pixels)
		p.r.Stroke()
		p.r.SetStrokeDashArray(nil)
		if l.dots || len(part) == 1 {
			p.r.SetClassName("f" + digit(l.colour))
			for _, at := range part {
				p.r.Circle(2.5, p.x(at.x), p.y(at.y))
			}
			p.r.Fill()
		}
	}
}

// parts are what is between the gaps.
func (l line) parts() (parts [][]point) {
	from := 0
	for i := 0; i <= len(l.points); i++ {
		if i < len(l.points) && drawable(l.points[i].x) && drawable(l.points[i].y) {
			continue
		}
		if i > from {
			parts = append(parts, l.points[from:i])
		}
		from = i + 1
	}
	return parts
}

func (s scatter) paint(p pen) {
	p.r.SetClassName("f" + digit(s.colour))
	for _, at := range s.points {
		if drawable(at.x) && drawable(at.y) {
			p.r.Circle(3.5, p.x(at.x), p.y(at.y))
		}
	}
	p.r.Fill()
}

func (b bars) paint(p pen) {
	p.r.SetClassName("f" + digit(b.colour))
	for _, bin := range b.bins {
		if !drawable(bin.from) || !drawable(bin.to) || !drawable(bin.count) || bin.count == 0 {
			continue
		}
		from, to := p.x(bin.from), p.x(bin.to)
		if to-from > 3 {
			to-- // apart, while there is room
		}
		rectangle(p.r, from, min(p.y(bin.count), p.y(0)-1), max(to, from+1), p.y(0))
	}
}

func (s shade) paint(p pen) {
	if drawable(s.from) && drawable(s.to) {
		p.r.SetClassName("span")
		rectangle(p.r, p.x(s.from), p.box.Top, p.x(s.to), p.box.Bottom)
	}
}

// paint leaves it to the plot, which knows where the label is.
func (m mark) paint(pen) {}

// pen paints within the plot.
type pen struct {
	r       chartdraw.Renderer
	box     chartdraw.Box
	picture picture
	xr, yr  chartdraw.Range
}

func (p pen) x(v float64) int { return p.box.Left + translate(p.xr, p.picture.x, v) }
func (p pen) y(v float64) int { return p.box.Bottom - translate(p.yr, p.picture.y, v) }

func translate(r chartdraw.Range, a axis, v float64) int {
	at := min(max(a.place(v), 0), 1)
	return r.Translate(a.min + at*(a.max-a.min))
}

// path is where the points are, without those that fall together.
func (p pen) path(points []point, steps bool) (pixels [][2]int) {
	add := func(x, y int) {
		if at := [2]int{x, y}; len(pixels) == 0 || pixels[len(pixels)-1] != at {
			pixels = append(pixels, at)
		}
	}
	for i, at := range points {
		if steps && i > 0 {
			add(p.x(at.x), p.y(points[i-1].y))
		}
		add(p.x(at.x), p.y(at.y))
	}
	return pixels
}

func (p pen) move(pixels [][2]int) {
	for i, at := range pixels {
		if i == 0 {
			p.r.MoveTo(at[0], at[1])
			continue
		}
		p.r.LineTo(at[0], at[1])
	}
}

// few is how many points still may have dots.
const few = 70

func dotted(points []point) bool {
	return len(points) <= few && slices.ContainsFunc(points, func(p point) bool { return p.y != 0 })
}
