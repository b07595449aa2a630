package benchdoc

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Lines is a plot whose axes are logarithmic. The first line is ours, and stands out.
type Lines struct {
	Title, Sub   string
	XUnit, YUnit string
	Lines        []Line
}

// Line is one series.
type Line struct {
	Label  string
	Points []Point
}

// Point has a median and its spread, which is not drawn if Low is 0.
type Point struct{ X, Y, Low, High float64 }

const (
	plotWidth, plotHeight                    = 860.0, 480.0
	plotLeft, plotRight, plotTop, plotBottom = 80.0, 200.0, 92.0, 52.0
	labelHeight, charWidth                   = 18.0, 8.0
)

// SVG draws the plot; without a point it is an empty frame.
func (c Lines) SVG() string {
	var b strings.Builder
	open(&b, plotWidth, plotHeight, c.Title, c.Sub)
	xs, ys := c.steps()
	x := scale(xs, plotLeft, plotWidth-plotRight)
	y := scale(ys, plotHeight-plotBottom, plotTop)
	free := math.Inf(1) // up to where a label has room
	for _, v := range slices.Backward(xs) {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x(v), x(v), plotTop, plotHeight-plotBottom)
		half := charWidth * float64(len(axis(v))) / 2
		if x(v)+half > free {
			continue
		}
		free = x(v) - half - charWidth
		fmt.Fprintf(&b, `<text class="dim" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x(v), plotHeight-plotBottom+20, axis(v))
	}
	for _, v := range ys {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, plotLeft, plotWidth-plotRight, y(v), y(v))
		fmt.Fprintf(&b, `<text class="dim" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, plotLeft-8, y(v)+4, axis(v))
	}
	fmt.Fprintf(&b, `<text class="dim" x="%.1f" y="%.1f">%s</text><text class="dim" x="24" y="%.1f">%s</text>`,
		plotLeft, plotHeight-12, escape(c.XUnit), plotTop-14, escape(c.YUnit))
	type end struct {
		at, x, y float64
		series   int
	}
	var ends []end
	for i, l := range c.Lines {
		if len(l.Points) == 0 {
			continue
		}
		width := 2.0
		if i == 0 {
			width = 4
		}
		var path strings.Builder
		for j, p := range l.Points {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(j, 1)], x(p.X), y(p.Y))
			fmt.Fprintf(&b, `<circle class="t%d" cx="%.1f" cy="%.1f" r="%.1f"/>`, i%len(lightColours), x(p.X), y(p.Y), width+1)
			if p.Low > 0 {
				fmt.Fprintf(&b, `<line class="l%d" stroke-width="1" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`,
					i%len(lightColours), x(p.X), x(p.X), y(p.Low), y(p.High))
			}
		}
		fmt.Fprintf(&b, `<path class="l%d" fill="none" stroke-width="%.0f" d="%s"/>`, i%len(lightColours), width, path.String())
		last := l.Points[len(l.Points)-1]
		ends = append(ends, end{y(last.Y), x(last.X), y(last.Y), i})
	}
	// Labels stand beside the plot, moved apart where they would touch.
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(ends); i++ {
		ends[i].at = max(ends[i].at, ends[i-1].at+labelHeight)
	}
	for i := len(ends) - 1; i >= 0; i-- {
		ends[i].at = min(ends[i].at, plotHeight-plotBottom-float64(len(ends)-1-i)*labelHeight)
	}
	for _, e := range ends {
		fmt.Fprintf(&b, `<line class="l%d" stroke-width="1" stroke-opacity=".5" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`,
			e.series%len(lightColours), e.x+6, e.y, plotWidth-plotRight+20, e.at)
		fmt.Fprintf(&b, `<text class="%s" x="%.1f" y="%.1f">%s</text>`, class(e.series), plotWidth-plotRight+24, e.at+4, escape(c.Lines[e.series].Label))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// steps are the round values that the axes show, and their ends.
func (c Lines) steps() (xs, ys []float64) {
	minX, minY := math.Inf(1), math.Inf(1)
	maxX, maxY := 0.0, 0.0
	for _, l := range c.Lines {
		for _, p := range l.Points {
			low := p.Y
			if p.Low > 0 {
				low = p.Low
			}
			minX, maxX = min(minX, p.X), max(maxX, p.X)
			minY, maxY = min(minY, low), max(maxY, p.Y, p.High)
		}
	}
	if maxX == 0 {
		minX, maxX, minY, maxY = 1, 10, 1, 10
	}
	return steps(minX, maxX), steps(minY, maxY)
}

// scale maps a logarithmic axis onto the picture.
func scale(values []float64, from, to float64) func(float64) float64 {
	low, high := math.Log10(values[0]), math.Log10(values[len(values)-1])
	return func(v float64) float64 { return from + (math.Log10(v)-low)/(high-low)*(to-from) }
}
