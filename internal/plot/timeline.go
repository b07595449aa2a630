package plot

// Timeline is panels below each other over one axis of time. What happened is named above them, and
// drawn in all of them: so one sees what else changed in the same moment.
type Timeline struct {
	Title  string
	Note   string // below the title
	X      Axis   // of all panels
	Phases []Span // the parts of the whole, one after the other
	Events []Event
	Panels []Panel
	// Legend names the lines of the first panel above all of them, for panels that have the same ones.
	// Else each line is named beside its end.
	Legend bool
}

// Span is a named part of the axis, in its unit.
type Span struct {
	Label    string
	From, To float64
}

// Event is what happened: at From, or until To if that is later.
type Event struct {
	Span
	Bad bool // it is what went wrong: its name is bold
}

// Panel is one figure over time. One without anything to draw is a line of text, its Title and its None.
type Panel struct {
	Title  string // what is shown, with the unit; that an axis is logarithmic is said beside it
	None   string // why there is nothing to draw
	Y      Axis
	Layers []Layer
}

const (
	panelHeight, panelTitle, panelGap = 76.0, 32.0, 12.0
	phaseHeight                       = 20.0
)

func (t Timeline) draw(width float64) *canvas {
	notes := wrap(t.Note, lettersIn(width, letter))
	f := &frame{xAxis: t.X, left: margin, right: width - margin}
	for _, p := range t.Panels {
		if len(p.Layers) == 0 {
			continue
		}
		f.left = max(f.left, leftOf(min(width, Width-1), p.Y)-8)
		if !t.Legend {
			f.right = min(f.right, width-beside(width)-margin/2-p.picture(t.X).widest(width))
		}
	}
	keys, rows := t.keys(width)
	legend := noteLine + float64(len(notes))*lineHeight + 4
	phases := legend + float64(rows)*lineHeight
	events := t.lanes(f, width)
	top := phases + float64(events.rows)*lineHeight + 10
	if len(t.Phases) > 0 {
		top += phaseHeight
	}
	height := top
	for _, p := range t.Panels {
		height += p.height()
	}
	f.canvas = newCanvas(t.Title, notes, width, height+bottom-4)
	f.read()
	for _, k := range keys {
		k.paint(f.canvas, legend)
	}
	f.top, f.bottom = phases, height-panelGap
	f.phases(t.Phases)
	events.paint(f, top-10)
	for _, p := range t.Panels {
		f.top = top + panelTitle
		f.bottom = f.top + panelHeight
		if len(p.Layers) > 0 {
			events.through(f)
		}
		p.paint(f, t.Legend)
		top += p.height()
	}
	f.bottom = height - panelGap
	f.xLabels()
	return f.canvas
}

// keys is the legend of a timeline that has one.
func (t Timeline) keys(width float64) ([]key, int) {
	for _, p := range t.Panels {
		if t.Legend && len(p.Layers) > 0 {
			return Picture{Layers: p.Layers}.keys(width)
		}
	}
	return nil, 0
}

func (p Panel) height() float64 {
	if len(p.Layers) == 0 {
		return panelTitle
	}
	return panelTitle + panelHeight + panelGap
}

// picture is the panel as one, which places the names of its lines.
func (p Panel) picture(x Axis) Picture {
	return Picture{X: x, Y: p.Y, Layers: p.Layers, Beside: true, close: true}
}

func (p Panel) paint(f *frame, legend bool) {
	title := p.Title
	if len(p.Layers) == 0 {
		title += ": " + p.None
	} else if p.Y.Log {
		title += " (logarithmic)"
	}
	f.text("label strong", margin, f.top-13, short(title, lettersIn(f.width, boldLetter)))
	if len(p.Layers) == 0 {
		return
	}
	f.yAxis = p.Y
	f.grid()
	for _, l := range p.Layers {
		l.paint(f)
	}
	if !legend {
		for _, n := range p.picture(f.xAxis).ends(f) {
			n.paint(f)
		}
	}
	f.axes()
}

// phases are boxes in turn pale and paler, with their names as far as there is room.
func (f *frame) phases(all []Span) {
	for i, s := range all {
		from, to := f.x(s.From), f.x(s.To)
		if !Drawable(s.From) || !Drawable(s.To) || to <= from {
			continue
		}
		f.rectangle([]string{"phase", "phase pale"}[i%2], from, f.top, to, f.top+phaseHeight-2)
		if fit := int((to - from - 6) / letter); fit >= min(len([]rune(s.Label)), 4) {
			f.text("key mid", (from+to)/2, f.top+phaseHeight-7, short(s.Label, max(fit, 1)))
		}
	}
}
