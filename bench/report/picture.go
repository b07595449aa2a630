package report

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/go-analyze/charts/chartdraw"
)

// picture is one chart.
type picture struct {
	file   string // name of its file, without the ending
	title  string
	note   string // below the title: what is shown, or the figures that sum it up
	x, y   axis
	layers []layer // painted in this order
}

const (
	width, plotHeight          = 860, 300
	left, right, bottom        = 84, 36, 54
	titleLine, noteLine        = 30, 52
	lineHeight, letter, margin = 18, 7.6, 24 // letter: a wide one of 13 px
	noteLetters                = 106         // as many as fit between the margins
)

// layout is what is above the plot, from its top downwards.
type layout struct {
	notes  []string
	legend int // where it begins
	keys   []key
	marks  []mark
	top    int // of the plot
}

func (p picture) layout() (l layout) {
	l.notes = wrap(p.note, noteLetters)
	l.legend = noteLine + len(l.notes)*lineHeight + 4
	var rows int
	l.keys, rows = p.keys()
	l.top = l.legend + (rows-1)*lineHeight + 12
	l.marks, rows = p.marks()
	l.top += rows*lineHeight + 8
	return l
}

func (p picture) height() int { return p.layout().top + plotHeight + bottom }

// svg renders the picture. With style it is a file of its own.
func (p picture) svg(style bool) ([]byte, error) {
	l := p.layout()
	chart := chartdraw.Chart{
		Width: width, Height: p.height(), DPI: 72,
		Background: chartdraw.Style{ClassName: "paper", Padding: chartdraw.NewBox(l.top, left, right, bottom)},
		Canvas:     chartdraw.Style{ClassName: "paper"},
		XAxis:      chartdraw.XAxis{Style: chartdraw.Hidden(), Range: &chartdraw.ContinuousRange{Min: p.x.min, Max: p.x.max}},
		YAxis:      chartdraw.YAxis{Style: chartdraw.Hidden(), Range: &chartdraw.ContinuousRange{Min: p.y.min, Max: p.y.max}},
	}
	chart.YAxisSecondary = chartdraw.YAxis{Style: chartdraw.Hidden()}
	chart.Series = []chartdraw.Series{plot{picture: p, marks: l.marks}}
	chart.Elements = []chartdraw.Renderable{func(r chartdraw.Renderer, _ chartdraw.Box, _ chartdraw.Style) {
		r.ResetStyle()
		r.SetClassName("title")
		r.Text(short(p.title, 80), margin, titleLine)
		for i, line := range l.notes {
			r.SetClassName("dim")
			r.Text(short(line, noteLetters), margin, noteLine+i*lineHeight)
		}
		for _, k := range l.keys {
			k.paint(r, l.legend)
		}
	}}

	provider := chartdraw.SVG
	if style {
		provider = chartdraw.SVGWithCSS(pictureCSS(), "")
	}
	var b bytes.Buffer
	if err := chart.Render(provider, &b); err != nil {
		return nil, fmt.Errorf("picture %s: %w", p.file, err)
	}
	head := fmt.Sprintf(`<svg role="img" aria-label="%s"`, html.EscapeString(p.title))
	text := strings.Replace(b.String(), "<svg", head, 1)
	text = strings.Replace(text, ` xmlns:xlink="http://www.w3.org/1999/xlink"`, "", 1)
	return []byte(onlyXML(text)), nil
}

// onlyXML drops the characters that no XML may have, however they are escaped.
func onlyXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r != 0xfffe && r != 0xffff {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\ufffd"))
}

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

// span is how wide a text is, at most, in whatever font the reader has.
func span(s string) float64 { return math.Ceil(float64(len([]rune(s))) * letter) }

// short is s, cut to what a line has room for.
func short(s string, letters int) string {
	if runes := []rune(s); len(runes) > letters {
		return string(runes[:letters-1]) + "…"
	}
	return s
}
