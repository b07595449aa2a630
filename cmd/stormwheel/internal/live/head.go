package live

import (
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

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

// whole writes seconds, without tenths where they do not matter.
func whole(d time.Duration) string {
	if d >= 10*time.Second || d%time.Second == 0 {
		return fmt.Sprintf("%.0f", d.Truncate(time.Second).Seconds())
	}
	return secs(d)
}

// ready is a bar of the clients that are, and the verdict so far.
func (m *model) ready(width int) string {
	u, l := &m.last, m.look
	ready := 0
	if m.status != nil {
		ready = m.status.Ready
	}
	verdict := m.verdict(width)
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

// verdict counts the thresholds by how they stand.
func (m *model) verdict(width int) string {
	s, l := m.status, m.look
	if s == nil {
		return ""
	}
	var n [3]int
	for _, o := range s.Outlook {
		n[o.State]++
	}
	text := ""
	if !s.Generator.Valid {
		text = l.warn.Render("INVALID") + " " // as it stands: lateness may pass
	}
	if n[result.Failed] > 0 {
		text += l.bad.Render(fmt.Sprintf("%d FAILED", n[result.Failed])) + " "
	}
	if width < 60 {
		if text == "" && len(s.Outlook) > 0 {
			text = fmt.Sprintf("%s %d/%d ", l.mark(result.Holds), n[result.Holds], len(s.Outlook))
		}
		return text
	}
	if len(s.Outlook) > 0 {
		text += fmt.Sprintf("%s %d hold  %s %d open ", l.mark(result.Holds), n[result.Holds], l.mark(result.Open), n[result.Open])
	}
	return text
}

// log is what has happened, the latest last.
func (m *model) log() *section {
	return &section{draw: m.drawLog, steps: []step{{rankLog, 2}, {rankRows, 2}, {lastRank, maxEvents}}}
}

func (m *model) drawLog(width, height int) []string {
	l := m.look
	var lines []string
	for _, e := range keep(m.events, max(height, 0)) {
		lines = append(lines, l.clip(padLeft(secs(e.at), 7)+"s  "+e.text, width))
	}
	return lines
}

// foot names the keys.
func (m *model) foot(width int) []string {
	text := " q  end now, with the result so far"
	if m.keys.suspends {
		text += "   ctrl-z  suspend"
	}
	if m.stopping {
		text = " ending; ctrl-c again ends at once, without a result"
	}
	return []string{m.look.faint.Render(m.look.clip(text, width))}
}
