package plot

import (
	"math"
	"strings"
)

// Picture is a chart with two axes.
type Picture struct {
	Title  string
	Note   string // below the title: what is shown, or the figures that sum it up
	X, Y   Axis
	Layers []Layer // painted in this order

	// Beside names the lines beside their ends, in their colours, and not in the legend: for
	// lines that end apart, and names that are not long.
	Beside bool

	close bool // a name stays where its line ends, even on another line
}

// Lengths are pixels.
const (
	left, right, bottom = 84.0, 36.0, 54.0
	titleLine, noteLine = 30.0, 52.0
	lineHeight, margin  = 18.0, 24.0

	letter, boldLetter, titleLetter, letterHeight = 7.6, 8.2, 10.1, 13.0 // wide ones
	upwardLetter                                  = 6.25                 // one beside a plot
	nameLetters                                   = 33                   // of a name beside a plot or a bar, where there is room
)

// plotHeight is that of a plot on paper of a width.
func plotHeight(width float64) float64 { return max(min(width*.35, 300), 220) }

// leftOf is where a plot begins: where its labels end.
func leftOf(width float64, y Axis) float64 {
	if width >= Width {
		return left
	}
	widest := 0.0
	for _, t := range y.Ticks {
		widest = max(widest, breadth(t.Label))
	}
	return min(left, margin+14+widest)
}

// layout is what stands around the plot.
type layout struct {
	notes  []string
	legend float64 // where it begins
	keys   []key
	marks  []placed
	left   float64 // of the plot
	top    float64 // of the plot
	right  float64 // of the plot
}

func (p Picture) layout(width float64) (l layout) {
	l.left, l.right = leftOf(width, p.Y), width-right
	if p.Beside {
		l.right -= p.widest(width)
	}
	l.notes = wrap(p.Note, lettersIn(width, letter))
	l.legend = noteLine + float64(len(l.notes))*lineHeight + 4
	var rows int
	l.keys, rows = p.keys(width)
	l.top = l.legend + float64(rows-1)*lineHeight + 12
	l.marks, rows = p.marks(l.left, l.right)
	l.top += float64(rows)*lineHeight + 8
	return l
}

func (p Picture) draw(width float64) *canvas {
	l := p.layout(width)
	c := newCanvas(p.Title, l.notes, width, l.top+plotHeight(width)+bottom)
	for _, k := range l.keys {
		k.paint(c, l.legend)
	}
	f := &frame{canvas: c, left: l.left, top: l.top, right: l.right, bottom: l.top + plotHeight(width), xAxis: p.X, yAxis: p.Y}
	f.read()
	f.grid()
	f.labels()
	for _, layer := range p.Layers {
		layer.paint(f)
	}
	for _, m := range l.marks {
		m.paint(f)
	}
	if p.Beside {
		for _, e := range p.ends(f) {
			e.paint(f)
		}
	}
	f.axes()
	return c
}

// frame is the inside of a picture, between its axes.
type frame struct {
	*canvas
	left, top, right, bottom float64
	xAxis, yAxis             Axis
}

// x and y are where values stand on the paper; beyond the ends of an axis, at its end.
func (f *frame) x(v float64) float64 { return f.left + within(f.xAxis.Place(v))*(f.right-f.left) }
func (f *frame) y(v float64) float64 { return f.bottom - within(f.yAxis.Place(v))*(f.bottom-f.top) }

func within(share float64) float64 { return min(max(share, 0), 1) }

// read has the paper know where the horizontal axis is.
func (f *frame) read() {
	f.canvas.left, f.canvas.right, f.min, f.max = f.left, f.right, f.xAxis.Min, f.xAxis.Max
}

func (f *frame) axes() {
	f.line("axis", nil, f.left, f.bottom, f.right, f.bottom)
	f.line("axis", nil, f.left, f.top, f.left, f.bottom)
}

// grid has the lines of all ticks, and the labels of the vertical axis. Labels are placed by the style
// sheet: by the reader's font, not by ours.
func (f *frame) grid() {
	height, span := f.bottom-f.top, f.right-f.left
	for _, t := range f.yAxis.Ticks {
		y := f.bottom - f.yAxis.share(t.At)*height
		f.line("grid", nil, f.left, y, f.right, y)
	}
	for _, t := range f.yAxis.labelled(height, func(string) float64 { return letterHeight }) {
		f.text("dim end", f.left-8, f.bottom-f.yAxis.share(t.At)*height+4, t.Label)
	}
	for _, t := range f.xAxis.Ticks {
		x := f.left + f.xAxis.share(t.At)*span
		f.line("grid", nil, x, f.top, x, f.bottom)
	}
}

// labels has those of the horizontal axis, and what both axes are.
func (f *frame) labels() {
	f.xLabels()
	f.upwards("dim mid", margin-4, (f.top+f.bottom)/2, short(f.yAxis.Label, int((f.bottom-f.top)/upwardLetter)))
}

func (f *frame) xLabels() {
	span := f.right - f.left
	for _, t := range f.xAxis.labelled(span, func(label string) float64 { return breadth(label) + letter }) {
		f.text("dim mid", f.left+f.xAxis.share(t.At)*span, f.bottom+20, t.Label)
	}
	f.text("dim mid", (f.left+f.right)/2, f.bottom+42, short(f.xAxis.Label, lettersIn(f.width, letter)))
}

// breadth is how wide a text is, at most, in whatever font the reader has.
func breadth(s string) float64 { return math.Ceil(float64(len([]rune(s))) * letter) }

// wrap breaks s between words into lines of that many letters.
func wrap(s string, letters int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > letters {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// short is s, cut to what a line has room for.
func short(s string, letters int) string {
	if runes := []rune(s); len(runes) > letters {
		return string(runes[:letters-1]) + "…"
	}
	return s
}
