package plot

import (
	"cmp"
	"slices"
)

// name is that of a line, beside its end or as near to it as there is room.
type name struct {
	line Line
	end  pixel // of the line
	x, y float64
	tie  pixel // where the name is tied to the line's end
}

const (
	behind = 10.0 // a line's end
	near   = 0.75 // of the plot: a line that ends there or later has its name beside the plot
)

func (n name) breadth() float64 { return breadth(n.line.Label) }

// beside is from the plot to the names.
func beside(width float64) float64 {
	if width < 600 {
		return 12
	}
	return 24
}

// widest is that of the names beside the plot.
func (p Picture) widest(width float64) float64 {
	most := 0.0
	for _, l := range p.Layers {
		if l, ok := l.(Line); ok {
			most = max(most, breadth(l.Label))
		}
	}
	return min(most, roomForNames(width))
}

// roomForNames is what paper of a width has for names beside a plot.
func roomForNames(width float64) float64 { return min(nameLetters*letter, width*.4) }

// ends places the names: of the lines that end near the right edge beside it, of others where
// no line and no other name is, or beside it too if that is nowhere.
func (p Picture) ends(f *frame) []name {
	var outside, inside []name
	for _, l := range p.Layers {
		l, ok := l.(Line)
		last, drawn := l.last()
		if !ok || !drawn || l.Label == "" {
			continue
		}
		l.Label = short(l.Label, int(roomForNames(f.width)/letter))
		n := name{line: l, end: pixel{f.x(last.X), f.y(last.Y)}}
		if edge := f.left + near*(f.right-f.left); n.end.x < edge || p.close && n.end.x+n.breadth()+2*behind < f.right {
			found, ok := p.place(f, n, inside)
			if !ok && p.close {
				found, ok = n.closest(f, inside), true
			}
			if ok {
				inside = append(inside, found)
				continue
			}
		}
		n.y = n.end.y
		outside = append(outside, n)
	}
	spread(outside, f.bottom)
	for i := range outside {
		n := &outside[i]
		n.x = f.right + beside(f.width)
		n.tie = pixel{n.x - 4, n.y}
	}
	return append(outside, inside...)
}

// spread moves names apart that would touch, and keeps them above the bottom.
func spread(names []name, bottom float64) {
	slices.SortStableFunc(names, func(a, b name) int { return cmp.Compare(a.y, b.y) })
	for i := 1; i < len(names); i++ {
		names[i].y = max(names[i].y, names[i-1].y+lineHeight)
	}
	for i := range names {
		names[i].y = min(names[i].y, bottom-float64(len(names)-1-i)*lineHeight)
	}
}

// place looks for room around a line's end: behind it, then further and further away, above
// it to the left and to the right, then below.
func (p Picture) place(f *frame, n name, others []name) (name, bool) {
	long := n.breadth()
	if n = n.behind(f); p.free(f, n, others) {
		return n, true
	}
	for away := 16.0; away < 100; away += 6 {
		for _, y := range []float64{n.end.y - away, n.end.y + away} {
			for _, x := range []float64{n.end.x - long + 10, n.end.x - long/2, n.end.x - 10, n.end.x + behind} {
				n.x, n.y = x, y
				n.tie = pixel{min(max(n.end.x, x), x+long), y + 6}
				if y > n.end.y {
					n.tie.y = y - 10
				}
				if p.free(f, n, others) {
					return n, true
				}
			}
		}
	}
	return n, false
}

// behind is the name right where its line ends.
func (n name) behind(f *frame) name {
	n.x, n.y = n.end.x+behind, min(max(n.end.y, f.top+lineHeight/2+3), f.bottom-lineHeight/2-3)
	n.tie = pixel{n.x - 3, n.y}
	return n
}

// closest is the name as near to its line's end as other names let it be, whatever lines it covers.
func (n name) closest(f *frame, others []name) name {
	n = n.behind(f)
	found := n
	y := n.y
	for away := 0.0; away < f.bottom-f.top; away += 3 {
		for _, n.y = range []float64{y - away, y + away} {
			meets := func(o name) bool { return n.box().meets(o.box()) }
			if n.y >= f.top+lineHeight/2 && n.y <= f.bottom-lineHeight/2 && !slices.ContainsFunc(others, meets) {
				n.tie.y = n.y
				return n
			}
		}
	}
	return found
}

// box is a part of the paper.
type box struct{ left, top, right, bottom float64 }

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

func (n name) box() box {
	return box{n.x, n.y - lineHeight/2, n.x + n.breadth(), n.y + lineHeight/2}
}

// free reports whether a name is within the plot, and neither it nor its tie touches another
// name or a line.
func (p Picture) free(f *frame, n name, others []name) bool {
	b := n.box()
	b = box{b.left - 3, b.top - 3, b.right + 3, b.bottom + 3}
	if b.left < f.left || b.right > f.right || b.top < f.top || b.bottom > f.bottom {
		return false
	}
	for _, o := range others {
		if b.meets(o.box()) || b.crossed(o.end, o.tie) || o.box().crossed(n.end, n.tie) {
			return false
		}
	}
	for _, l := range p.Layers {
		if l, ok := l.(Line); ok && l.meets(f, b) {
			return false
		}
	}
	return true
}

// meets reports whether the line goes through a part of the paper.
func (l Line) meets(f *frame, b box) bool {
	for _, part := range l.parts() {
		for i, at := range part {
			low, high := at.Y, at.Y
			if at.High > at.Low {
				low, high = min(low, at.Low), max(high, at.High)
			}
			x, y := f.x(at.X), f.y(at.Y)
			if b.meets(box{x - 5, f.y(high) - 5, x + 5, f.y(low) + 5}) {
				return true
			}
			if i > 0 && b.crossed(pixel{f.x(part[i-1].X), f.y(part[i-1].Y)}, pixel{x, y}) {
				return true
			}
		}
	}
	return false
}

// crossed reports whether the way from one place to another goes through the box: whether
// there is a part of it that is between left and right, and between top and bottom.
func (b box) crossed(from, to pixel) bool {
	first, last := 0.0, 1.0
	for _, side := range [][4]float64{{from.x, to.x, b.left, b.right}, {from.y, to.y, b.top, b.bottom}} {
		at, long, low, high := side[0], side[1]-side[0], side[2], side[3]
		if long == 0 {
			if at <= low || at >= high {
				return false
			}
			continue
		}
		enters, leaves := (low-at)/long, (high-at)/long
		first, last = max(first, min(enters, leaves)), min(last, max(enters, leaves))
	}
	return first < last
}

func (n name) paint(f *frame) {
	f.line(class("l", n.line.Colour)+" tie", nil, n.end.x, n.end.y, n.tie.x, n.tie.y)
	label := "label " + class("f", n.line.Colour)
	if n.line.Strong {
		label += " strong"
	}
	f.text(label, n.x, n.y+4, n.line.Label)
}
