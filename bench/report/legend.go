package report

import "github.com/go-analyze/charts/chartdraw"

// key is one entry of the legend.
type key struct {
	label string
	style look
	x     float64
	row   int
}

const swatch = 26

// keys places the legend, from left to right and on as many rows as it takes.
func (p picture) keys() (keys []key, rows int) {
	x := float64(margin)
	for _, l := range p.layers {
		k := l.key()
		if k.label == "" {
			continue
		}
		k.label = short(k.label, 80)
		need := swatch + 8 + span(k.label) + 16
		if len(keys) == 0 {
			rows = 1
		} else if x+need > width-margin {
			x, rows = margin, rows+1
		}
		k.x, k.row = x, rows-1
		keys = append(keys, k)
		x += need
	}
	return keys, rows
}

func (k key) paint(r chartdraw.Renderer, top int) {
	x, y := int(k.x), top+k.row*lineHeight
	r.ResetStyle()
	r.SetClassName(k.style.class)
	if k.style.fills {
		rectangle(r, x, y-8, x+swatch, y+2)
	} else {
		r.SetStrokeDashArray(k.style.dash)
		r.MoveTo(x, y-4)
		r.LineTo(x+swatch, y-4)
		r.Stroke()
		r.SetStrokeDashArray(nil)
	}
	r.SetClassName("key")
	r.Text(k.label, x+swatch+8, y)
}

func rectangle(r chartdraw.Renderer, left, top, right, bottom int) {
	r.MoveTo(left, top)
	r.LineTo(right, top)
	r.LineTo(right, bottom)
	r.LineTo(left, bottom)
	r.Close()
	r.Fill()
}

// mark is a labelled place on the horizontal axis, with a line down from its label.
type mark struct {
	at    float64
	label string
	dash  []float64
	row   int  // of its label, from the plot upwards
	right bool // the label is to the right of its line, for want of room
}

// marks places the labels above the plot. Each is to the left of its line, and higher than
// the lines that it crosses begin.
func (p picture) marks() (placed []mark, rows int) {
	var xs []float64
	for _, l := range p.layers {
		m, ok := l.(mark)
		if !ok || !drawable(m.at) || p.x.place(m.at) < 0 || p.x.place(m.at) > 1 {
			continue
		}
		x := left + p.x.place(m.at)*(width-left-right)
		from, to := x-span(m.label)-12, x
		if from < margin {
			m.right, from, to = true, x, x+span(m.label)+12
		}
		for i, other := range placed {
			if xs[i] >= from && xs[i] <= to || other.right && m.right {
				m.row = max(m.row, other.row+1)
			}
		}
		placed, xs, rows = append(placed, m), append(xs, x), max(rows, m.row+1)
	}
	return placed, rows
}
