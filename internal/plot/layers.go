package plot

// Layer is something in a picture: a Line, Bins, Dots, a Shade, or a Mark.
type Layer interface {
	key() key // in the legend; without a label it is not there
	paint(*frame)
}

// Point is a place in the units of the axes. If High is above Low, they are the spread of Y,
// in its unit.
type Point struct{ X, Y, Low, High float64 }

// At is a point without a spread.
func At(x, y float64) Point { return Point{X: x, Y: y} }

// Drawable reports whether both X and Y have a place in a picture.
func (p Point) Drawable() bool { return Drawable(p.X) && Drawable(p.Y) }

// Line joins points. A point that cannot be drawn is a gap.
type Line struct {
	Label  string // in the legend; empty is none
	Colour int    // in the palette, or Ink
	Dash   Dash
	Points []Point // from the left to the right
	Steps  bool    // each Y holds until the next X
	Since  bool    // each Y has held since the X before: what is counted in a second, and noted at its end
	Filled bool    // down to 0
	Dots   bool    // show the points, for they are few
	Strong bool    // what the picture is about: thick, its name bold
}

// Bins are filled from 0: a distribution.
type Bins struct {
	Label  string // in the legend; empty is none
	Colour int    // in the palette, or Ink
	Bins   []Bin
}

// Bin is from From to To in the unit of the horizontal axis, and as high as Count in that of
// the other.
type Bin struct{ From, To, Count float64 }

// Dots are points alone.
type Dots struct {
	Label  string // in the legend; empty is none
	Colour int    // in the palette, or Ink
	Points []Point
}

// Shade marks a span of the horizontal axis, in its unit.
type Shade struct {
	Label    string // in the legend; empty is none
	From, To float64
}

func (l Line) key() key  { return key{label: l.Label, class: l.class(), dash: l.Dash} }
func (b Bins) key() key  { return key{label: b.Label, class: class("f", b.Colour), fills: true} }
func (d Dots) key() key  { return key{label: d.Label, class: class("f", d.Colour), fills: true} }
func (s Shade) key() key { return key{label: s.Label, class: "span", fills: true} }

func (l Line) class() string {
	if l.Strong {
		return class("l", l.Colour) + " strong"
	}
	return class("l", l.Colour)
}

func (l Line) paint(f *frame) {
	for _, part := range l.parts() {
		way := f.way(part, l.Steps)
		if l.Filled {
			zero := f.y(0)
			f.area(class("a", l.Colour), append(way[:len(way):len(way)], pixel{way[len(way)-1].x, zero}, pixel{way[0].x, zero}))
		}
		if len(way) > 1 {
			f.path(l.class(), l.Dash, way)
		}
		for _, at := range part {
			if at.High > at.Low {
				f.line(class("l", l.Colour)+" thin", nil, f.x(at.X), f.y(at.Low), f.x(at.X), f.y(at.High))
			}
			if l.Dots || len(part) == 1 {
				f.circle(class("f", l.Colour), f.x(at.X), f.y(at.Y), l.dot())
			}
		}
	}
}

func (l Line) dot() float64 {
	if l.Strong {
		return 4.5
	}
	return 2.5
}

// parts are what is between the gaps.
func (l Line) parts() (parts [][]Point) {
	points := l.Points
	if l.Since {
		points = held(points)
	}
	from := 0
	for i := 0; i <= len(points); i++ {
		if i < len(points) && points[i].Drawable() {
			continue
		}
		if i > from {
			parts = append(parts, points[from:i])
		}
		from = i + 1
	}
	return parts
}

// held has each point twice: where it begins to hold, and where it ends to. The first holds since 0.
func held(points []Point) []Point {
	var all []Point
	since := 0.0
	for _, p := range points {
		if Drawable(p.X) {
			begin := p
			begin.X = min(since, p.X)
			all, since = append(all, begin, p), p.X
		}
	}
	return all
}

// last is where the line ends.
func (l Line) last() (p Point, ok bool) {
	if parts := l.parts(); len(parts) > 0 {
		part := parts[len(parts)-1]
		return part[len(part)-1], true
	}
	return p, false
}

// way is where the points are, without those that fall together: half a pixel is nothing to
// see, and a long run has very many points.
func (f *frame) way(points []Point, steps bool) (way []pixel) {
	add := func(x, y float64) {
		at := pixel{half(x), half(y)}
		if n := len(way); n == 0 || way[n-1] != at {
			way = append(way, at)
		}
	}
	for i, at := range points {
		if steps && i > 0 {
			add(f.x(at.X), f.y(points[i-1].Y))
		}
		add(f.x(at.X), f.y(at.Y))
	}
	return way
}

func (b Bins) paint(f *frame) {
	for _, bin := range b.Bins {
		if !Drawable(bin.From) || !Drawable(bin.To) || !Drawable(bin.Count) || bin.Count == 0 {
			continue
		}
		from, to := f.x(bin.From), f.x(bin.To)
		if to-from > 3 {
			to-- // apart, while there is room
		}
		f.rectangle(class("f", b.Colour), from, min(f.y(bin.Count), f.y(0)-1), max(to, from+1), f.y(0))
	}
}

func (d Dots) paint(f *frame) {
	for _, at := range d.Points {
		if at.Drawable() {
			f.circle(class("f", d.Colour), f.x(at.X), f.y(at.Y), 3.5)
		}
	}
}

func (s Shade) paint(f *frame) {
	if Drawable(s.From) && Drawable(s.To) {
		f.rectangle("span", f.x(s.From), f.top, f.x(s.To), f.bottom)
	}
}
