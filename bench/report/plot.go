package report

import (
	"math"

	"github.com/go-analyze/charts/chartdraw"
)

// plot is the inside of a picture, with its grid and axes, as the one series of its chart.
type plot struct {
	picture picture
	marks   []mark
}

func (plot) GetName() string               { return "" }
func (plot) GetYAxis() chartdraw.YAxisType { return chartdraw.YAxisPrimary }
func (plot) GetStyle() chartdraw.Style     { return chartdraw.Style{} }
func (plot) Validate() error               { return nil }

func (p plot) Render(r chartdraw.Renderer, box chartdraw.Box, xr, yr chartdraw.Range, _ chartdraw.Style) {
	r.ResetStyle()
	pen := pen{r: r, box: box, picture: p.picture, xr: xr, yr: yr}
	p.ticks(pen)
	for _, l := range p.picture.layers {
		r.ResetStyle()
		l.paint(pen)
	}
	r.ResetStyle()
	for _, m := range p.marks {
		p.mark(pen, m)
	}
	r.SetClassName("axis")
	stroke(r, box.Left, box.Bottom, box.Right, box.Bottom)
	stroke(r, box.Left, box.Top, box.Left, box.Bottom)
}

// ticks has its labels placed by the style sheet: by the reader's font, not by ours.
func (p plot) ticks(pen pen) {
	r, box := pen.r, pen.box
	for _, t := range p.picture.y.ticks {
		y := box.Bottom - pen.yr.Translate(t.at)
		r.SetClassName("grid")
		stroke(r, box.Left, y, box.Right, y)
		r.SetClassName("dim end")
		r.Text(t.label, box.Left-8, y+4)
	}
	free := math.Inf(-1)
	for _, t := range p.picture.x.ticks {
		x := box.Left + pen.xr.Translate(t.at)
		r.SetClassName("grid")
		stroke(r, x, box.Top, x, box.Bottom)
		if half := span(t.label) / 2; float64(x)-half > free {
			r.SetClassName("dim mid")
			r.Text(t.label, x, box.Bottom+20)
			free = float64(x) + half
		}
	}
	middle := (box.Top + box.Bottom) / 2
	r.SetClassName("dim mid")
	r.Text(p.picture.x.label, (box.Left+box.Right)/2, box.Bottom+42)
	r.SetTextRotation(-math.Pi / 2)
	r.Text(p.picture.y.label, margin-4, middle)
	r.ClearTextRotation()
}

func (p plot) mark(pen pen, m mark) {
	x, y := pen.x(m.at), pen.box.Top-8-m.row*lineHeight
	pen.r.SetClassName("mark")
	pen.r.SetStrokeDashArray(m.dash)
	stroke(pen.r, x, y-11, x, pen.box.Bottom)
	pen.r.SetStrokeDashArray(nil)
	if m.right {
		pen.r.SetClassName("label")
		pen.r.Text(m.label, x+5, y)
		return
	}
	pen.r.SetClassName("label end")
	pen.r.Text(m.label, x-5, y)
}

func stroke(r chartdraw.Renderer, x1, y1, x2, y2 int) {
	r.MoveTo(x1, y1)
	r.LineTo(x2, y2)
	r.Stroke()
}
