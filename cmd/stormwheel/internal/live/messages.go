package live

import "fmt"

// messages are those of the last second, and how many have gone wrong so far.
func (m *model) messages(width, height int) []string {
	s, l := m.status, m.look
	var lines []string
	row := func(name string, perSecond int, p99 *float64, bad int, what string) {
		time, unit := "-", ""
		if p99 != nil {
			time = millis(*p99)
		}
		if width >= compact {
			unit = " ms"
		}
		text := fmt.Sprintf("%s%s/s  p99%s%s  ", pad(name, 5), padLeft(count(perSecond), 6), padLeft(time, 6), unit)
		if bad > 0 {
			text += l.bad.Render(count(bad) + " " + what)
		} else {
			text += l.faint.Render("0 " + what)
		}
		lines = append(lines, l.clip(text, max(width-gutter, 0)))
	}
	if n := s.Messages; n.Sent > 0 {
		row("sent", s.Sent, s.MessageP99, n.Lost+n.Refused, "failed")
	}
	if n := s.Messages; n.Published > 0 {
		row("got", s.Delivered, s.DeliverP99, n.Undelivered, "lost")
	}
	if len(lines) == 0 {
		lines = []string{l.faint.Render("none yet")}
	}
	return m.named("messages", lines[:min(len(lines), height)]...)
}
