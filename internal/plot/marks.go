package plot

// Mark is a labelled place on the horizontal axis, with a line down from its label. One
// beyond the ends of the axis is not drawn.
type Mark struct {
	At    float64 // in the unit of the axis
	Label string
	Dash  Dash // of the line
}

func (m Mark) key() key { return key{} }

// paint leaves it to the picture, which knows where the label is.
func (m Mark) paint(*frame) {}

// placed is a mark whose label has its place.
type placed struct {
	Mark
	row   int  // of its label, from the plot upwards
	right bool // the label is to the right of its line, for want of room
}

// marks places the labels above the plot, which is between these pixels.
// Each is to the left of its line, and higher than the lines that it crosses begin.
func (p Picture) marks(left, right float64) (all []placed, rows int) {
	var xs []float64
	for _, l := range p.Layers {
		mark, ok := l.(Mark)
		if !ok || !Drawable(mark.At) || p.X.Place(mark.At) < 0 || p.X.Place(mark.At) > 1 {
			continue
		}
		m := placed{Mark: mark}
		m.Label = short(m.Label, int((right-left)/letter))
		x := left + p.X.Place(m.At)*(right-left)
		from, to := x-breadth(m.Label)-12, x
		if from < margin {
			m.right, from, to = true, x, x+breadth(m.Label)+12
		}
		for i, other := range all {
			if xs[i] >= from && xs[i] <= to || other.right && m.right {
				m.row = max(m.row, other.row+1)
			}
		}
		all, xs, rows = append(all, m), append(xs, x), max(rows, m.row+1)
	}
	return all, rows
}

func (m placed) paint(f *frame) {
	x, y := f.x(m.At), f.top-8-float64(m.row)*lineHeight
	f.line("mark", m.Dash, x, y-11, x, f.bottom)
	if m.right {
		f.text("label", x+5, y, m.Label)
		return
	}
	f.text("label end", x-5, y, m.Label)
}
