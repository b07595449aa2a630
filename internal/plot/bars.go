package plot

import "strings"

// Bars compares totals, a bar each from the top downwards, on an axis from 0.
type Bars struct {
	Title string
	Note  string   // below the title
	Unit  string   // of all figures, with what they count: the axis' label
	Parts []string // what the pieces of each bar are; none if a bar has one piece
	Bars  []Bar
}

// Bar is a total of one or more pieces, the first solid, the next ones paler. If High is
// above Low, they are the spread of the total.
type Bar struct {
	Label     string
	Colour    int  // in the palette, or Ink
	Strong    bool // what the picture is about: its name bold
	Parts     []float64
	Low, High float64
}

const (
	barHeight, barPitch = 22.0, 34.0
	barsRight           = 110.0 // room for the figure behind the longest
)

func (b Bar) total() (sum float64) {
	for _, v := range b.Parts {
		if Drawable(v) {
			sum += v
		}
	}
	return sum
}

// reach is where the figure begins: behind the bar and its spread.
func (b Bar) reach() float64 {
	if b.High > b.Low && Drawable(b.High) {
		return max(b.total(), b.High)
	}
	return b.total()
}

func (p Bars) draw(width float64) *canvas {
	notes := wrap(p.Note, lettersIn(width, letter))
	top := noteLine + float64(len(notes)-1)*lineHeight + 28
	bottom := top + 6 + float64(len(p.Bars))*barPitch
	c := newCanvas(p.Title, notes, width, bottom+52)
	widest, most := margin, 0.0
	for _, b := range p.Bars {
		widest, most = max(widest, breadth(b.Label)), max(most, b.reach())
	}
	f := &frame{canvas: c, left: margin + 10 + min(widest, roomForNames(width)), top: top, right: width - barsRight, bottom: bottom,
		xAxis: linear(p.label(), 0, most, 10)}
	f.grid()
	f.labels()
	for i, b := range p.Bars {
		b.paint(f, top+6+float64(i)*barPitch)
	}
	return c
}

// label says what the pieces are as well.
func (p Bars) label() string {
	if len(p.Parts) < 2 {
		return p.Unit
	}
	return p.Unit + "; solid: " + p.Parts[0] + ", pale: " + strings.Join(p.Parts[1:], ", then ")
}

var pale = []string{"", " pale", " paler"}

func (b Bar) paint(f *frame, top float64) {
	name, fill := "end "+class("f", b.Colour), class("f", b.Colour)
	if b.Strong {
		name += " strong"
	}
	f.text(name, f.left-10, top+16, short(b.Label, int(roomForNames(f.width)/letter)))
	sum := 0.0
	for i, v := range b.Parts {
		if Drawable(v) {
			f.rectangle(fill+pale[min(i, len(pale)-1)], f.x(sum), top, f.x(sum+v), top+barHeight)
			sum += v
		}
	}
	if b.High > b.Low {
		f.line("mark", nil, f.x(b.Low), top+barHeight/2, f.x(b.High), top+barHeight/2)
	}
	f.text("figure", f.x(b.reach())+8, top+16, Number(sum, f.xAxis.step()/20))
}
