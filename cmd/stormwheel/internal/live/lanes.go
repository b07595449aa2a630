package live

import (
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// lane is a line of signs, into which texts are put where they do not touch each other.
type lane []rune

func newLane(columns int) lane { return lane(strings.Repeat(" ", max(columns, 0))) }

// put writes text from column c on, if that is free and within, with a blank on both sides.
func (n lane) put(c int, text string) bool {
	letters := []rune(text)
	if c < 0 || c+len(letters) > len(n) {
		return false
	}
	for i := max(c-1, 0); i < min(c+len(letters)+1, len(n)); i++ {
		if n[i] != ' ' {
			return false
		}
	}
	copy(n[c:], letters)
	return true
}

func (n lane) String() string { return string(n) }

// maxLanes is how many lines events may take under the graphs.
const maxLanes = 3

// lanes are the phases of the run and what befell it, under the time axis.
func (m *model) lanes(w window) []string {
	l := m.look
	lines := []string{l.label.Render(pad(" phases", axisWidth)) + l.accent.Render(m.phases(w).String())}
	for i, n := range m.marks(w) {
		name := ""
		if i == 0 {
			name = " events"
		}
		lines = append(lines, l.label.Render(pad(name, axisWidth))+l.warn.Render(n.String()))
	}
	return lines
}

// phases has each name where its phase begins, cut where the next one does.
func (m *model) phases(w window) lane {
	n := newLane(w.columns)
	if m.status == nil {
		return n
	}
	all := m.status.Phases
	for i, p := range all {
		from, to := max(w.column(p.T), 0), w.columns
		if i+1 < len(all) {
			to = min(w.column(all[i+1].T), to)
		}
		for j, r := range []rune(m.look.phase + clean(p.Name)) {
			if from+j < to && from+j < w.columns {
				n[from+j] = r
			}
		}
	}
	return n
}

// marks point at the columns of events, and say what they were; lines for the time that one
// lasted. What finds no room is in the list of events only.
func (m *model) marks(w window) [maxLanes]lane {
	var all [maxLanes]lane
	for i := range all {
		all[i] = newLane(w.columns)
	}
	if m.status == nil {
		return all
	}
	for _, e := range m.status.Events {
		at := min(w.column(e.T), w.columns-1)
		if at < 0 {
			continue
		}
		text := m.look.at + named(e)
		if e.Until != nil {
			text += strings.Repeat(m.look.under, max(min(w.column(*e.Until), w.columns)-at-len([]rune(text)), 0))
		}
		for _, n := range all {
			if n.put(at, text) || n.put(at-len([]rune(named(e))), named(e)+m.look.at) {
				break
			}
		}
	}
	return all
}

func named(e result.Event) string {
	if e.Target == "" || len(e.Target) > 12 {
		return clean(string(e.Kind))
	}
	return clean(string(e.Kind) + " " + e.Target)
}

// guides are the columns in which something happened.
func (m *model) guides(w window) map[int]bool {
	at := map[int]bool{}
	if m.status != nil {
		for _, e := range m.status.Events {
			at[min(w.column(e.T), w.columns-1)] = true
		}
	}
	return at
}
