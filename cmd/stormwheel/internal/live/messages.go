package live

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
)

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
	if n := s.Messages; n.Published > 0 || talked(n) {
		row("got", s.Delivered, s.DeliverP99, n.Undelivered, "lost")
	}
	if talked(s.Messages) {
		lines = append(lines, l.clip(ticks(s.Messages, width), max(width-gutter, 0)))
	}
	if len(lines) == 0 {
		lines = []string{l.faint.Render("none yet")}
	}
	return m.named("messages", lines[:min(len(lines), height)]...)
}

// talked: users told each other something, and know what became of it.
func talked(m *result.Messages) bool { return m != nil && m.Confirmed+m.Durable+m.Held > 0 }

// ticks are what senders know: of how many that a device has them, and how many were stored before.
func ticks(m *result.Messages, width int) string {
	text := fmt.Sprintf("%s%s of %s", pad("ticks", 6), count(m.Confirmed), count(m.Sent))
	if width >= compact {
		text += fmt.Sprintf(", %s durable, %s held", count(m.Durable), count(m.Held))
	}
	return text
}
