package live

import (
	"fmt"
	"math"

	"github.com/stormwheel/stormwheel/bench/result"
)

// thresholds are as they stand. Those that failed come first, then the open ones, if not all
// of them fit.
func (m *model) thresholds(width, height int) []string {
	l := m.look
	order := make([]result.Outlook, 0, len(m.status.Outlook))
	for _, state := range []result.OutlookState{result.Failed, result.Open, result.Holds} {
		for _, o := range m.status.Outlook {
			if o.State == state {
				order = append(order, o)
			}
		}
	}
	if len(order) <= height {
		order = m.status.Outlook // nothing moves about
	}
	var lines []string
	for _, o := range order[:min(len(order), height)] {
		now := ""
		if o.Actual != nil {
			now = figure(*o.Actual)
		}
		lines = append(lines, l.spread(l.mark(o.State)+" "+o.Expr, l.faint.Render(now), width-gutter))
	}
	return m.named("so far", lines...)
}

// firstBroken is a line about what failed first, where there is room for it.
func (m *model) firstBroken() []string {
	if m.broke == nil || m.height < 16 {
		return nil
	}
	l := m.look
	text := fmt.Sprintf(" %s %s", l.glyphs.bad, m.broke.expr)
	if m.status != nil {
		for _, o := range m.status.Outlook {
			if o.Expr == m.broke.expr && o.Actual != nil {
				text += ": " + figure(*o.Actual)
			}
		}
	}
	return []string{l.bad.Render(l.spread(text, "broke first, at "+secs(m.broke.at)+" s ", m.width))}
}

// mark is the sign of a state, in its colour.
func (l look) mark(s result.OutlookState) string {
	switch s {
	case result.Holds:
		return l.good.Render(l.holds)
	case result.Failed:
		return l.bad.Render(l.glyphs.bad)
	default:
		return l.faint.Render(l.open)
	}
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

// figure shows the value of a threshold.
func figure(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return count(int(v))
	}
	return fmt.Sprintf("%.2f", v)
}
