package plot

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
)

// Chart is a Picture, Bars, or a Timeline.
type Chart interface {
	draw(width float64) *canvas
	// Read is what it shows, as numbers.
	Read() Reading
}

// Width is that of a file.
const Width = 860

// SVG is the chart as a file of its own.
func SVG(c Chart) string {
	one := c.draw(Width)
	return file(one.title, one.width, one.height, one.body.String())
}

// Inline is the chart as an element of a page, whose style sheet has CSS, drawn for so many pixels: the
// letters stay as large, and what has no room for them is laid out otherwise. Its attributes say where the
// horizontal axis is, for a script: data-left and data-right in pixels of the viewBox, data-min and
// data-max as positions, as in a Reading.
func Inline(c Chart, width float64) string {
	one := c.draw(width)
	axis := at("data-left", one.left) + at("data-right", one.right) + number("data-min", one.min) + number("data-max", one.max)
	return open(one.title, one.width, one.height, axis) + paper(one.width, one.height) + one.body.String() + "</svg>"
}

// Stack is one file with the charts below each other. The title is not shown: it is what a
// reader hears who does not see the picture.
func Stack(title string, charts ...Chart) string {
	var b strings.Builder
	height := 0.0
	for _, c := range charts {
		one := c.draw(Width)
		b.WriteString(`<g role="img" aria-label="` + escape(one.title) + `" transform="translate(0 ` + pixels(height) + `)">`)
		b.WriteString(one.body.String() + "</g>")
		height += one.height
	}
	return file(title, Width, height, b.String())
}

func file(title string, width, height float64, body string) string {
	return open(title, width, height, "") + "<style><![CDATA[" + CSS() + "]]></style>" + paper(width, height) + body + "</svg>\n"
}

func open(title string, width, height float64, more string) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + pixels(width) + " " + pixels(height) + `" role="img" aria-label="` + escape(title) + `"` + more + `>`
}

// paper is below all, so that it does not matter what is around the picture.
func paper(width, height float64) string {
	return `<rect class="paper" width="` + pixels(width) + `" height="` + pixels(height) + `" rx="8"/>`
}

// canvas is a chart as it is drawn. Lengths are pixels, from the left and from the top.
type canvas struct {
	title         string // as all titles, cut to what a line has room for
	width, height float64
	left, right   float64 // where the horizontal axis begins and ends
	min, max      float64 // the positions there
	body          strings.Builder
}

// newCanvas has the title and the lines of the note.
func newCanvas(title string, notes []string, width, height float64) *canvas {
	c := &canvas{title: title, width: width, height: height}
	c.text("title", margin, titleLine, short(title, lettersIn(width, titleLetter)))
	for i, line := range notes {
		c.text("dim", margin, noteLine+float64(i)*lineHeight, short(line, lettersIn(width, letter)))
	}
	return c
}

// lettersIn is how many letters fit between the margins.
func lettersIn(width, letter float64) int { return max(int((width-2*margin)/letter), 1) }

type pixel struct{ x, y float64 }

// path joins points by a line.
func (c *canvas) path(class string, dash Dash, points []pixel) {
	c.write(`<path class="`, class, `"`, dash.attribute(), ` d="`, course(points), `"/>`)
}

// area fills what is between points.
func (c *canvas) area(class string, points []pixel) {
	c.write(`<path class="`, class, `" d="`, course(points), `Z"/>`)
}

func course(points []pixel) string {
	var b strings.Builder
	for i, at := range points {
		b.WriteString("ML"[min(i, 1):][:1] + pixels(at.x) + " " + pixels(at.y))
	}
	return b.String()
}

func (c *canvas) line(class string, dash Dash, x1, y1, x2, y2 float64) {
	c.write(`<line class="`, class, `"`, dash.attribute(), at("x1", x1), at("y1", y1), at("x2", x2), at("y2", y2), "/>")
}

func (c *canvas) rectangle(class string, left, top, right, bottom float64) {
	left, right = min(left, right), max(left, right)
	c.write(`<rect class="`, class, `"`, at("x", left), at("y", top), at("width", right-left), at("height", bottom-top), "/>")
}

func (c *canvas) circle(class string, x, y, radius float64) {
	c.write(`<circle class="`, class, `"`, at("cx", x), at("cy", y), at("r", radius), "/>")
}

func (c *canvas) text(class string, x, y float64, text string) {
	if text != "" {
		c.write(`<text class="`, class, `"`, at("x", x), at("y", y), ">", escape(text), "</text>")
	}
}

// upwards is text that is read from below.
func (c *canvas) upwards(class string, x, y float64, text string) {
	if text == "" {
		return
	}
	c.write(`<text class="`, class, `"`, at("x", x), at("y", y),
		` transform="rotate(-90 `, pixels(x), " ", pixels(y), `)">`, escape(text), "</text>")
}

func (c *canvas) write(parts ...string) {
	for _, p := range parts {
		c.body.WriteString(p)
	}
}

// number is an attribute that is no length.
func number(name string, v float64) string {
	return " " + name + `="` + strconv.FormatFloat(v, 'g', 9, 64) + `"`
}

// at is an attribute.
func at(name string, v float64) string { return " " + name + `="` + pixels(v) + `"` }

func (d Dash) attribute() string {
	if len(d) == 0 {
		return ""
	}
	var lengths []string
	for _, v := range d {
		lengths = append(lengths, pixels(v))
	}
	return ` stroke-dasharray="` + strings.Join(lengths, " ") + `"`
}

// pixels is a length, to a tenth.
func pixels(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// escape has no character that XML does not know, nor one that would end a text.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder has no errors
	return b.String()
}

// half is a length, to a half.
func half(v float64) float64 { return math.Round(v*2) / 2 }
