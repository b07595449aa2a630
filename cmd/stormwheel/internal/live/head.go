package live

import "fmt"

// head is the state: what runs, how far it is, and how the verdict stands.
func (m *model) head(width, height int) []string {
	u, l := &m.last, m.look
	title := " " + u.Scenario
	if u.Kind != "" {
		title += " " + u.Kind
	}
	if p := u.Phase; p.Name != "" {
		title += " " + l.sep + " " + p.Name
		if p.AtMost > 0 {
			title += fmt.Sprintf(" %s / %s s", whole(u.At-p.Since), whole(p.AtMost))
		}
	}
	if m.stopping {
		title = " " + u.Scenario + " " + l.sep + " ending early"
	}
	right := secs(u.At) + " s "
	lines := []string{l.head.Render(l.spread(title, right, width))}
	if height > 1 {
		lines = append(lines, m.ready(width))
	}
	return lines
}

// ready is a bar of the clients that are, and the verdict so far.
func (m *model) ready(width int) string {
	u, l := &m.last, m.look
	ready := 0
	if m.status != nil {
		ready = m.status.Ready
	}
	verdict := m.verdict(width)
	if m.shakes() {
		return l.spread(fmt.Sprintf(" %s at a time", count(u.Target)), verdict, width)
	}
	figure := fmt.Sprintf(" %s of %s ready", count(ready), count(u.Target))
	if width < 60 {
		figure = fmt.Sprintf(" %s/%s", count(ready), count(u.Target))
	}
	room := width - 1 - len(figure)
	if verdict != "" {
		room -= 2
	}
	bar := max(room-widthOf(verdict), 0)
	return l.spread(" "+l.bar(ready, u.Target, bar)+figure, verdict, width)
}
