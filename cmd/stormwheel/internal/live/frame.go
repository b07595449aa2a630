package live

import "strings"

// section is a part of the frame that can be drawn in more or fewer lines.
type section struct {
	draw  func(width, height int) []string // at most height lines
	steps []step
	lines int // granted
}

// step asks for lines more, at a rank: the lower ranks of all sections are served first. What
// is left of the room serves a step in part.
type step struct{ rank, lines int }

// Ranks of the steps: a small screen has the first lines of everything, a larger one more.
const (
	rankFirst = iota // one line of each section
	rankLog          // two of the events
	rankMore         // the second lines
	rankRows         // the first few nodes, some events
	rankRest         // the thresholds, more nodes
	lastRank         // the events fill what is left
)

// gutter is the column of the names; below compact, units and figures of lesser weight go.
const (
	gutter  = 11
	compact = 50
)

// twoColumns is the smallest size at which there are two.
const (
	twoColumnsWidth  = 100
	twoColumnsHeight = 20
	columnGap        = 3
)

// frame is the screen: exactly height lines, none wider than width.
func (m *model) frame() string {
	if m.width < 1 || m.height < 1 {
		return ""
	}
	var lines []string
	switch {
	case m.graphed():
		lines = m.drawn()
	case m.tall():
		lines = m.stacked()
	case m.width >= twoColumnsWidth && m.height >= twoColumnsHeight:
		lines = m.wide()
	default:
		lines = m.narrow()
	}
	for len(lines) < m.height {
		lines = append(lines, "")
	}
	lines = lines[:m.height]
	for i, line := range lines {
		lines[i] = m.look.clip(line, m.width)
	}
	return strings.Join(lines, "\n")
}

// narrow has all sections below each other.
func (m *model) narrow() []string {
	lines := append(m.head(m.width, min(m.height, 2)), m.firstBroken()...)
	var foot []string
	if m.height >= 16 {
		foot = m.foot(m.width)
	}
	room := m.height - len(lines) - len(foot)
	return m.closed(append(lines, stack(append(append(m.left(), m.right()...), m.log()), m.width, room)...), foot)
}

// closed puts the foot at the foot.
func (m *model) closed(lines, foot []string) []string {
	for len(lines)+len(foot) < m.height {
		lines = append(lines, "")
	}
	return append(lines, foot...)
}

// wide has figures of the clients on the left and of the processes on the right, and the
// events below.
func (m *model) wide() []string {
	const leastLog = 4
	lines, foot := append(m.head(m.width, 2), m.firstBroken()...), m.foot(m.width)
	room := m.height - len(lines) - len(foot) - leastLog
	width := (m.width - columnGap) / 2
	left, right := stack(m.left(), width, room), stack(m.right(), width, room)
	lines = append(lines, m.beside(left, right, width)...)
	lines = append(lines, stack([]*section{m.log()}, m.width, m.height-len(lines)-len(foot))...)
	return m.closed(lines, foot)
}

// stack draws the sections below each other. A blank line goes before each, if all of them
// have what matters and there is room for all those lines.
func stack(all []*section, width, room int) []string {
	grant := func(rank int) {
		for _, s := range all {
			for _, t := range s.steps {
				if t.rank == rank {
					n := min(t.lines, max(room, 0))
					s.lines += n
					room -= n
				}
			}
		}
	}
	apart := false
	for rank := range lastRank + 1 {
		if rank == rankRest && room >= len(all) {
			apart = true
			room -= len(all)
		}
		grant(rank)
	}
	var lines []string
	for _, s := range all {
		if s.lines == 0 {
			continue
		}
		if apart {
			lines = append(lines, "")
		}
		lines = append(lines, s.draw(width, s.lines)...)
	}
	return lines
}

// named puts a name before the first of lines.
func (m *model) named(name string, lines ...string) []string {
	for i := range lines {
		if i > 0 {
			name = ""
		}
		lines[i] = " " + m.look.label.Render(pad(name, gutter-1)) + lines[i]
	}
	return lines
}
