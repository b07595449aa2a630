package plot

// lanes are the names of what happened, in rows above the panels: each where it began, or to the left of
// that for want of room.
type lanes struct {
	all  []lane
	rows int
}

type lane struct {
	Event
	row   int
	right bool // the name ends where the event began
}

// mostLanes bounds the rows; what has no room is drawn without its name.
const mostLanes = 8

const tail = 14.0 // between a name and what is beside it

func (t Timeline) lanes(f *frame, width float64) (l lanes) {
	type taken struct{ from, to float64 }
	var rows [mostLanes][]taken
	for _, e := range t.Events {
		if !Drawable(e.From) || t.X.Place(e.From) < 0 || t.X.Place(e.From) > 1 {
			continue
		}
		one := lane{Event: e, row: -1}
		x := f.x(e.From)
		behind, before := width-margin/2-x, x-margin/2
		one.right = breadth(e.Label)+tail > behind && before > behind
		one.Label = short(e.Label, max(int((max(behind, before)-tail)/letter), 1))
		long := breadth(one.Label) + tail
		from, to := x, x+long
		if one.right {
			from, to = x-long, x
		}
		for r := range rows {
			free := true
			for _, o := range rows[r] {
				free = free && (to < o.from || from > o.to)
			}
			if free {
				rows[r] = append(rows[r], taken{from, to})
				one.row, l.rows = r, max(l.rows, r+1)
				break
			}
		}
		l.all = append(l.all, one)
	}
	return l
}

// paint has the names, each above its line; the lowest row is above a height. What is drawn later is below them.
func (l lanes) paint(f *frame, above float64) {
	for _, e := range l.all {
		if e.row >= 0 {
			f.line("mark", nil, f.x(e.From), above-float64(l.rows-e.row)*lineHeight+4, f.x(e.From), above+2)
		}
	}
	for _, e := range l.all { // above all lines
		if e.row < 0 {
			continue
		}
		x, y := f.x(e.From), above-float64(l.rows-e.row)*lineHeight+14
		class := "label"
		if e.Bad {
			class += " strong"
		}
		if e.right {
			f.text(class+" end", x-5, y, e.Label)
		} else {
			f.text(class, x+5, y, e.Label)
		}
	}
}

// through draws them in a panel, below its lines: its title and its labels stay free.
func (l lanes) through(f *frame) {
	for _, e := range l.all {
		from := f.x(e.From)
		if Drawable(e.To) && e.To > e.From {
			f.rectangle("span", from, f.top, max(f.x(e.To), from+1), f.bottom)
			f.line("mark edge", Dashes[2], f.x(e.To), f.top, f.x(e.To), f.bottom)
		}
		f.line("mark", nil, from, f.top, from, f.bottom)
	}
}
