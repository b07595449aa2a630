package live

// graphsWidth and graphsHeight are the smallest size at which there are graphs.
const (
	graphsWidth  = 115
	graphsHeight = 36
)

// tallWidth and tallHeight are the smallest size at which there are graphs below the figures, where there is no room beside them.
const (
	tallWidth  = 60
	tallHeight = 44
)

// leastChart is the fewest lines a graph is worth drawing in; with wantedChart, there may be
// another one.
const (
	leastChart  = 5
	wantedChart = 7
	wantedCount = 4
)

// graphed: there is room for graphs.
func (m *model) graphed() bool { return m.width >= graphsWidth && m.height >= graphsHeight }

// drawn has graphs on the left, figures on the right, and what has happened below, in words.
func (m *model) drawn() []string {
	lines, foot := append(m.head(m.width, 2), m.firstBroken()...), m.foot(m.width)
	room := m.height - len(lines) - len(foot) - m.height/7
	figures := min(max(m.width*3/8, 54), 76)
	width := m.width - figures - columnGap
	lines = append(lines, m.beside(m.graphs(width, room), stack(append(m.left(), m.right()...), figures, room), width)...)
	lines = append(lines, stack([]*section{m.log()}, m.width, m.height-len(lines)-len(foot))...)
	return m.closed(lines, foot)
}

// tall: it is too narrow for that, but there is room below each other.
func (m *model) tall() bool { return m.width >= tallWidth && m.height >= tallHeight }

// stacked has figures, then graphs, then what has happened, in words.
func (m *model) stacked() []string {
	lines, foot := append(m.head(m.width, 2), m.firstBroken()...), m.foot(m.width)
	room := m.height - len(lines) - len(foot)
	graphs, log := room*11/20, m.height/8
	lines = append(lines, stack(append(m.left(), m.right()...), m.width, room-graphs-log-1)...)
	lines = append(append(lines, ""), m.graphs(m.width, graphs)...)
	lines = append(lines, stack([]*section{m.log()}, m.width, m.height-len(lines)-len(foot))...)
	return m.closed(lines, foot)
}

// beside puts two columns together, the left one of that width.
func (m *model) beside(left, right []string, width int) []string {
	var lines []string
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines = append(lines, pad(m.look.clip(l, width), width+columnGap)+r)
	}
	return lines
}

// graphs are as many as fit, one time axis under all of them, phases and events below it.
func (m *model) graphs(width, room int) []string {
	elapsed := m.last.At.Seconds()
	w := newWindow(elapsed, width-axisWidth)
	below := append(w.axis(m.look), m.lanes(w)...)
	room -= len(below)
	all := m.charts()
	for len(all) > 1 && (len(all) > wantedCount && room/len(all) < wantedChart || room/len(all) < leastChart) {
		all = all[:len(all)-1]
	}
	guides := m.guides(w)
	var lines []string
	for i, c := range all {
		height := (room - len(lines)) / (len(all) - i)
		lines = append(lines, c.draw(m, w, guides, height)...)
	}
	return append(lines, below...)
}
