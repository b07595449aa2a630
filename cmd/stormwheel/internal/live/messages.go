package live

import "fmt"

// messages are those of the last second, and what has gone wrong with any so far.
func (m *model) messages(width, height int) []string {
	s, l := m.status, m.look
	var lines []string
	row := func(name string, perSecond int, p50, p99 *float64, bad int, what string) {
		text := fmt.Sprintf("%s%s/s  ", pad(name, 5), padLeft(count(perSecond), 6)) + spans(p50, p99, width)
		switch {
		case bad > 0:
			text = l.bad.Render(count(bad)+" "+what) + "  " + text
		case width >= compact:
			text += l.faint.Render("  0 " + what)
		}
		lines = append(lines, l.clip(text, max(width-gutter, 0)))
	}
	if n := s.Messages; n.Sent > 0 {
		row("sent", s.Sent, s.MessageP50, s.MessageP99, n.Lost+n.Refused, "lost")
	}
	if n := s.Messages; n.Published > 0 {
		row("got", s.Delivered, s.DeliverP50, s.DeliverP99, n.Undelivered, "missed")
	}
	if len(lines) == 0 {
		lines = []string{l.faint.Render("none yet")}
	}
	return m.named("messages", lines[:min(len(lines), height)]...)
}
