package plot

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
)

// Reading is a chart as numbers: a row a place on its horizontal axis, a column a line.
type Reading struct {
	Axis    string // what the first column is
	Columns []string
	Rows    []ReadingRow
}

// ReadingRow is a place: its position on the axis, its value in words, and those of the lines there;
// "" where a line has none.
type ReadingRow struct {
	At    float64
	Label string
	Cells []string
}

// mostReadings is how many places a Picture is read at; a Timeline is at each of its times.
const mostReadings = 60

// Read is at the places of all points, or, of many, at places that are as far apart as each other.
func (p Picture) Read() Reading {
	r := Reading{Axis: p.X.Label}
	var columns []column
	for _, l := range p.Layers {
		if c, ok := columnOf(l, p.X); ok {
			if c.label == "" {
				c.label = p.Y.Label
			}
			columns = append(columns, c)
		}
	}
	r.fill(p.X, columns, mostReadings)
	return r
}

// Read is at the times of the first line, and at those of others before and after it. A cell is what was
// read since the row above; "": nothing was.
func (t Timeline) Read() Reading {
	r := Reading{Axis: t.X.Label}
	var columns []column
	for _, p := range t.Panels {
		for _, l := range p.Layers {
			c, ok := columnOf(l, t.X)
			if !ok || !c.counts {
				continue
			}
			if c.label != "" && c.label != p.Title {
				c.label = p.Title + ": " + c.label
			} else {
				c.label = p.Title
			}
			columns = append(columns, c)
			r.Columns = append(r.Columns, c.label)
		}
	}
	before := math.Inf(-1)
	for _, at := range times(columns) {
		if at < t.X.Min || at > t.X.Max {
			continue
		}
		row := ReadingRow{At: at, Label: t.X.words(at)}
		for _, c := range columns {
			row.Cells = append(row.Cells, c.between(before, at))
		}
		r.Rows, before = append(r.Rows, row), at
	}
	return r
}

// times are those of the first column, and of others what is outside these.
func times(columns []column) (all []float64) {
	for _, c := range columns {
		if len(all) == 0 {
			all = slices.Clone(c.ats)
			continue
		}
		first, last := all[0], all[len(all)-1]
		for _, at := range c.ats {
			if at < first-1e-9 || at > last+1e-9 {
				all = append(all, at)
			}
		}
		slices.Sort(all)
	}
	return slices.CompactFunc(all, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
}

// Read has the bars as rows.
func (p Bars) Read() Reading {
	r := Reading{Axis: "", Columns: p.Parts}
	if len(p.Parts) < 2 {
		r.Columns = []string{p.Unit}
	}
	for i, b := range p.Bars {
		row := ReadingRow{At: float64(i), Label: b.Label}
		for _, v := range b.Parts {
			row.Cells = append(row.Cells, digits(v))
		}
		for len(row.Cells) < len(r.Columns) {
			row.Cells = append(row.Cells, "")
		}
		row.Cells = row.Cells[:len(r.Columns)]
		r.Rows = append(r.Rows, row)
	}
	return r
}

// column is what a layer shows, by position.
type column struct {
	label  string
	ats    []float64 // in rising order
	values []float64 // from there on
	since  bool      // up to there
	counts bool      // it was measured, which limits and ideals were not
}

func columnOf(l Layer, x Axis) (c column, ok bool) {
	switch l := l.(type) {
	case Line:
		c.label, c.since, c.counts = l.Label, l.Since, l.Colour != Ink
		for _, p := range l.Points {
			if Drawable(p.X) {
				c.ats, c.values = append(c.ats, x.position(p.X)), append(c.values, p.Y)
			}
		}
	case Bins:
		c.label, c.counts = l.Label, true
		for i, b := range l.Bins {
			if !Drawable(b.From) || !Drawable(b.To) {
				continue
			}
			c.ats, c.values = append(c.ats, x.position(b.From)), append(c.values, b.Count)
			if i == len(l.Bins)-1 || l.Bins[i+1].From != b.To {
				c.ats, c.values = append(c.ats, x.position(b.To)), append(c.values, 0)
			}
		}
	}
	return c, slices.ContainsFunc(c.values, Drawable) && slices.IsSorted(c.ats)
}

// at is the value at a position; "": there is none.
func (c column) at(position float64) string {
	i := sort.SearchFloat64s(c.ats, position+1e-9) - 1
	if c.since {
		i = sort.SearchFloat64s(c.ats, position-1e-9)
	}
	if i < 0 || i >= len(c.ats) || !Drawable(c.values[i]) || !c.since && i == len(c.ats)-1 && position > c.ats[i]+1e-9 {
		return ""
	}
	return digits(c.values[i])
}

// between is the last value after a position and up to another; "": there is none.
func (c column) between(before, at float64) string {
	for i := sort.SearchFloat64s(c.ats, at+1e-9) - 1; i >= 0 && c.ats[i] > before+1e-9; i-- {
		if Drawable(c.values[i]) {
			return digits(c.values[i])
		}
	}
	return ""
}

func (r *Reading) fill(x Axis, columns []column, most int) {
	var ats []float64
	for _, c := range columns {
		r.Columns = append(r.Columns, c.label)
		ats = append(ats, c.ats...)
	}
	ats = slices.DeleteFunc(ats, func(at float64) bool { return at < x.Min || at > x.Max })
	slices.SortFunc(ats, cmp.Compare)
	ats = slices.CompactFunc(ats, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	if len(ats) > most {
		ats = ats[:0]
		for i := range most {
			ats = append(ats, x.Min+(x.Max-x.Min)*float64(i)/float64(most-1))
		}
	}
	for _, at := range ats {
		row := ReadingRow{At: at, Label: x.words(at)}
		some := false
		for _, c := range columns {
			cell := c.at(at)
			row.Cells, some = append(row.Cells, cell), some || cell != ""
		}
		if some {
			r.Rows = append(r.Rows, row)
		}
	}
}

// digits is a figure to three digits, and whole if it is large.
func digits(v float64) string {
	if v == math.Trunc(v) {
		return Number(v, 1)
	}
	text := Number(v, math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2))
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}
