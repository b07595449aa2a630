package benchdoc

import (
	"fmt"
	"math"
	"strings"
)

// Bars compares totals, each of two parts. The first bar is ours, and stands out.
type Bars struct {
	Title, Sub string
	Unit       string    // of the axis
	Parts      [2]string // what the solid and the pale piece of a bar are
	Bars       []Bar
}

// Bar is a total with its parts and its spread, which is not drawn if Low is 0.
type Bar struct {
	Label     string
	Parts     [2]float64
	Low, High float64
}

const (
	barsWidth, barHeight, barGap = 860.0, 22.0, 12.0
	barsLeft, barsRight, barsTop = 170.0, 110.0, 86.0
)

// SVG draws the bars, on a linear axis from 0.
func (c Bars) SVG() string {
	height := barsTop + float64(len(c.Bars))*(barHeight+barGap) + 58
	var b strings.Builder
	open(&b, barsWidth, height, c.Title, c.Sub)
	most := 0.0
	for _, bar := range c.Bars {
		most = max(most, bar.Parts[0]+bar.Parts[1], bar.High)
	}
	step := roundStep(most)
	most = math.Max(math.Ceil(most/step), 1) * step
	x := func(v float64) float64 { return barsLeft + v/most*(barsWidth-barsLeft-barsRight) }
	bottom := height - 52
	for v := 0.0; v <= most*1.001; v += step {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x(v), x(v), barsTop-6, bottom)
		fmt.Fprintf(&b, `<text class="dim" x="%.1f" y="%.1f" text-anchor="middle">%g</text>`, x(v), bottom+18, v)
	}
	fmt.Fprintf(&b, `<text class="dim" x="%.1f" y="%.1f">%s; solid: %s, pale: %s</text>`,
		barsLeft, height-12, escape(c.Unit), escape(c.Parts[0]), escape(c.Parts[1]))
	for i, bar := range c.Bars {
		y := barsTop + float64(i)*(barHeight+barGap)
		total, colour := bar.Parts[0]+bar.Parts[1], i%len(lightColours)
		fmt.Fprintf(&b, `<text class="%s" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, class(i), barsLeft-10, y+16, escape(bar.Label))
		fmt.Fprintf(&b, `<rect class="t%d" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, colour, x(0), y, x(bar.Parts[0])-x(0), barHeight)
		fmt.Fprintf(&b, `<rect class="t%d" fill-opacity=".45" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
			colour, x(bar.Parts[0]), y, x(total)-x(bar.Parts[0]), barHeight)
		if bar.Low > 0 {
			fmt.Fprintf(&b, `<line class="mark" stroke-width="1.5" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`,
				x(bar.Low), x(bar.High), y+barHeight/2, y+barHeight/2)
		}
		fmt.Fprintf(&b, `<text class="fg" x="%.1f" y="%.1f">%.1f</text>`, x(max(total, bar.High))+8, y+16, total)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// roundStep gives four to ten steps up to most.
func roundStep(most float64) float64 {
	if most <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(most)))
	switch m := most / power; {
	case m < 2:
		return power / 5
	case m < 5:
		return power / 2
	default:
		return power
	}
}
