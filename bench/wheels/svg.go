package main

import (
	"fmt"
	"math"
	"strings"
)

const (
	chartWidth, chartHeight          = 860.0, 480.0
	left, right, top, bottom float64 = 80, 270, 92, 52
)

// svg draws the chart.
func (c chart) svg() string {
	d := drawing{chart: c}
	d.minX, d.maxX, d.minY, d.maxY = c.bounds()
	d.header()
	d.grid()
	for _, l := range c.lines {
		d.line(l)
	}
	for _, l := range d.labels() {
		d.label(l)
	}
	d.printf("</svg>\n")
	return d.text.String()
}

// drawing is a chart on its way to SVG.
type drawing struct {
	chart
	text                   strings.Builder
	minX, maxX, minY, maxY float64
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.text, format, args...) }

// x and y are where values stand in the picture.
func (d *drawing) x(v float64) float64 {
	return left + (math.Log10(v)-d.minX)/(d.maxX-d.minX)*(chartWidth-left-right)
}

func (d *drawing) y(v float64) float64 {
	return chartHeight - bottom - (math.Log10(v)-d.minY)/(d.maxY-d.minY)*(chartHeight-top-bottom)
}

// style gives each line a colour of its own for light and for dark pages. The
// panel has its own ground, so the page's does not matter where a viewer does
// not know which it is.
var style = func() string {
	light := []string{"#0b62d6", "#0f8a7e", "#c2410c", "#7c3aed", "#b5127a", "#5b6470", "#8a6d00", "#3f7d20"}
	dark := []string{"#6cb0ff", "#4fd1c1", "#ff9b66", "#b99aff", "#ff7cc8", "#aab4c0", "#e6c34a", "#8fd46a"}
	var b strings.Builder
	rules := func(bg, fg, faint string, colors []string) {
		fmt.Fprintf(&b, ".bg{fill:%s}.fg{fill:%s}.dim{fill:%s}.grid{stroke:%s;stroke-opacity:.25}", bg, fg, faint, faint)
		for i, c := range colors {
			fmt.Fprintf(&b, ".l%d{stroke:%s}.t%d{fill:%s}", i, c, i, c)
		}
	}
	b.WriteString("text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}.h{font-size:17px;font-weight:600}.ours{font-weight:700}")
	rules("#ffffff", "#1f2328", "#59636e", light)
	b.WriteString("@media (prefers-color-scheme:dark){")
	rules("#0d1117", "#e6edf3", "#9198a1", dark)
	b.WriteString("}")
	return b.String()
}()

// header is the panel with its titles.
func (d *drawing) header() {
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s"><style>%s</style>`,
		chartWidth, chartHeight, d.title, style)
	d.printf(`<rect class="bg" width="%.0f" height="%.0f" rx="8"/>`, chartWidth, chartHeight)
	d.printf(`<text class="fg h" x="24" y="32">%s</text><text class="dim" x="24" y="54">%s</text>`, d.title, d.sub)
}

// grid is a line a power of ten, and what the axes mean.
func (d *drawing) grid() {
	for e := d.minX; e <= d.maxX; e++ {
		v := math.Pow(10, e)
		d.printf(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, d.x(v), d.x(v), top, chartHeight-bottom)
		d.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, d.x(v), chartHeight-bottom+20, grouped(int(v)))
	}
	for e := d.minY; e <= d.maxY; e++ {
		v := math.Pow(10, e)
		d.printf(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, left, chartWidth-right, d.y(v), d.y(v))
		d.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, left-8, d.y(v)+4, axis(v))
	}
	d.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="middle">connections, logarithmic</text>`,
		(left+chartWidth-right)/2, chartHeight-12)
	d.printf(`<text class="dim" x="24" y="%.1f">%s</text>`, top-14, d.unit)
}

// line is a polyline through the medians, with a bar from lowest to highest.
func (d *drawing) line(l line) {
	if len(l.points) == 0 {
		return
	}
	width := 2.0
	if l.ours {
		width = 4
	}
	var path strings.Builder
	for i, p := range l.points {
		op := "L"
		if i == 0 {
			op = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", op, d.x(p.x), d.y(p.y))
		d.printf(`<circle class="t%d" cx="%.1f" cy="%.1f" r="%.1f"/>`, l.color, d.x(p.x), d.y(p.y), width+1)
		if p.low > 0 {
			d.printf(`<line class="l%d" stroke-width="1" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`,
				l.color, d.x(p.x), d.x(p.x), d.y(p.low), d.y(p.high))
		}
	}
	d.printf(`<path class="l%d" fill="none" stroke-width="%.0f" d="%s"/>`, l.color, width, path.String())
}

// label is a line's name, and what ties it to the line's end.
func (d *drawing) label(l label) {
	class := ""
	if l.line.ours {
		class = " ours"
	}
	end := l.line.last()
	d.printf(`<line class="l%d" stroke-width="1" stroke-opacity=".5" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`,
		l.line.color, d.x(end.x), d.y(end.y), l.tieX, l.tieY)
	d.printf(`<text class="t%d%s" x="%.1f" y="%.1f">%s</text>`, l.line.color, class, l.x, l.y+4, l.line.label)
}

func axis(v float64) string {
	if v >= 1 {
		return grouped(int(v))
	}
	return fmt.Sprint(v)
}
