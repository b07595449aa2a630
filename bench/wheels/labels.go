package main

import (
	"cmp"
	"slices"
)

// label is where a line's name stands: from x on, around the height y. A thin
// line goes from the line's end to the tie.
type label struct {
	line       line
	x, y       float64
	tieX, tieY float64
}

const (
	labelHeight = 18.0
	letterWidth = 7.6 // on average, rather too much
)

func (l label) width() float64 { return letterWidth * float64(len([]rune(l.line.label))) }

// labels places the names: of the lines that reach the right edge beside it, of
// those that end within the plot where no line and no other name is.
func (d *drawing) labels() []label {
	var beside, within []label
	for _, l := range d.lines {
		switch {
		case len(l.points) == 0:
		case d.x(l.last().x) > chartWidth-right-1:
			beside = append(beside, label{line: l, y: d.y(l.last().y)})
		default:
			within = append(within, label{line: l})
		}
	}
	spread(beside)
	for i := range beside {
		l := &beside[i]
		l.x = chartWidth - right + 24
		l.tieX, l.tieY = l.x-4, l.y
	}
	for i, l := range within {
		within[i] = d.place(l, within[:i])
	}
	return append(beside, within...)
}

// spread moves names apart that would touch, and keeps them beside the plot.
func spread(labels []label) {
	slices.SortFunc(labels, func(a, b label) int { return cmp.Compare(a.y, b.y) })
	for i := 1; i < len(labels); i++ {
		labels[i].y = max(labels[i].y, labels[i-1].y+labelHeight)
	}
	for i := len(labels) - 1; i >= 0; i-- {
		lowest := chartHeight - bottom - float64(len(labels)-1-i)*labelHeight
		labels[i].y = min(labels[i].y, lowest)
	}
}

// place looks for room around a line's end, further and further away: above it
// to the left and to the right, then below. If there is none, it stays above.
func (d *drawing) place(l label, others []label) label {
	endX, endY := d.x(l.line.last().x), d.y(l.line.last().y)
	width := l.width()
	at := func(x, y float64) label {
		l.x, l.y = x, y
		l.tieX, l.tieY = min(max(endX, x), x+width), y+6
		if y > endY {
			l.tieY = y - 10
		}
		return l
	}
	for away := 16.0; away < 160; away += 6 {
		for _, y := range []float64{endY - away, endY + away} {
			for _, x := range []float64{endX - width + 10, endX - width/2, endX - 10} {
				if l := at(x, y); d.free(l, others) {
					return l
				}
			}
		}
	}
	return at(endX-width+10, endY-16)
}

// free reports whether a name is within the plot and touches nothing.
func (d *drawing) free(l label, others []label) bool {
	const margin = 3
	x1, x2 := l.x-margin, l.x+l.width()+margin
	y1, y2 := l.y-labelHeight/2-margin, l.y+labelHeight/2+margin
	if x1 < left || x2 > chartWidth-right || y1 < top || y2 > chartHeight-bottom {
		return false
	}
	for _, o := range others {
		if x1 < o.x+o.width() && o.x < x2 && y1 < o.y+labelHeight/2 && o.y-labelHeight/2 < y2 {
			return false
		}
	}
	for _, o := range d.lines {
		for i := range o.points {
			p := o.points[i]
			if x := d.x(p.x); x1 < x+5 && x-5 < x2 && y1 < d.y(min(p.y, p.low))+5 && d.y(max(p.y, p.high))-5 < y2 {
				return false // a point and its bar
			}
			if i > 0 && d.crosses(o.points[i-1], p, x1, x2, y1, y2) {
				return false
			}
		}
	}
	return true
}

// crosses reports whether the way from one point to the next goes through a
// rectangle: whether its heights there overlap the rectangle's.
func (d *drawing) crosses(from, to point, x1, x2, y1, y2 float64) bool {
	fromX, toX := d.x(from.x), d.x(to.x)
	a, b := max(fromX, x1), min(toX, x2)
	if a > b || fromX == toX {
		return false
	}
	height := func(x float64) float64 {
		return d.y(from.y) + (x-fromX)/(toX-fromX)*(d.y(to.y)-d.y(from.y))
	}
	return min(height(a), height(b)) < y2 && max(height(a), height(b)) > y1
}
