package live

import (
	"math"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/stormwheel/stormwheel/bench/result"
)

// chart is a graph over time: bars, and marks for a second figure on the same axis.
type chart struct {
	name        string
	bars, marks curve
	unit        string
	log, bad    bool
	top         float64 // of the axis, at least
}

// curve is one figure; that of the zero curve is nil.
type curve struct {
	name  string
	of    figureOf
	least bool // of the seconds that share a column, the least is drawn
}

// axisWidth is the column of the axis' labels, the axis included.
const axisWidth = 10

func attemptsOf(s *result.Second) float64   { return float64(s.Attempts) }
func connectedOf(s *result.Second) float64  { return float64(s.Established) }
func handshakesOf(s *result.Second) float64 { return float64(s.Handshakes) }
func rttOf(s *result.Second) float64        { return orNaN(s.RTTp99) }

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// charts are those that the run has something for, the more telling ones first.
func (m *model) charts() []chart {
	if m.shakes() {
		return []chart{
			{name: "tls", unit: "/s", bars: curve{name: "ended", of: handshakesOf},
				marks: curve{name: "failed", of: func(s *result.Second) float64 { return float64(s.HandshakesFailed) }}},
			{name: "latency", unit: " ms", log: true, bars: curve{name: "p99", of: func(s *result.Second) float64 { return orNaN(s.HandshakeP99) }}},
		}
	}
	all := []chart{
		{name: "online", top: float64(m.last.Target), bars: curve{"clients", func(s *result.Second) float64 { return float64(s.Ready) }, true}},
		{name: "rtt", unit: " ms", log: true, bars: curve{name: "p99", of: rttOf},
			marks: curve{name: "max", of: func(s *result.Second) float64 { return orNaN(s.RTTMax) }}},
		{name: "losses", bad: true, bars: curve{name: "lost/s", of: func(s *result.Second) float64 { return float64(s.Lost) }},
			marks: curve{name: "PINGs unanswered", of: func(s *result.Second) float64 { return float64(s.Unanswered) }}},
		{name: "connects", unit: "/s", bars: curve{name: "connected", of: connectedOf}, marks: curve{name: "attempts", of: attemptsOf}},
	}
	if s := m.status; s != nil && s.Messages != nil {
		came := curve{name: "acknowledged", of: func(s *result.Second) float64 { return float64(s.Acknowledged) }}
		if s.Messages.Published > 0 || talked(s.Messages) {
			came = curve{name: "delivered", of: func(s *result.Second) float64 { return float64(s.Delivered) }}
		}
		all = append(all, chart{name: "messages", unit: "/s", bars: came,
			marks: curve{name: "sent", of: func(s *result.Second) float64 { return float64(s.Sent) }}})
	}
	return append(all, chart{name: "late", unit: " ms", log: true, bars: curve{name: "generator's timers, p99", of: func(s *result.Second) float64 { return orNaN(s.LateP99) }}})
}

// draw is a line of names and present figures, and the graph below it.
func (c chart) draw(m *model, w window, guides map[int]bool, height int) []string {
	l, rows := m.look, height-1
	bars, marks := w.fold(m.seconds, c.bars.of, c.bars.least), []float64(nil)
	if c.marks.of != nil {
		marks = w.fold(m.seconds, c.marks.of, c.marks.least)
	}
	s := newScale(c.log, c.top, rows, bars, marks)
	labels := s.labels(rows)
	lines := []string{l.clip(c.legend(m), axisWidth+w.columns)}
	for r := range rows {
		side := l.side
		if labels[r] != "" {
			side = l.tick
		}
		line := l.faint.Render(padLeft(labels[r], axisWidth-2) + " " + side)
		lines = append(lines, line+c.row(l, s, bars, marks, guides, rows, r))
	}
	return lines
}

// colour is the style of the bars.
func (c chart) colour(l look) lipgloss.Style {
	if c.bad {
		return l.bad
	}
	return l.accent
}

// legend names the curves, with their signs and their values in the last second.
func (c chart) legend(m *model) string {
	l := m.look
	text := " " + l.label.Render(pad(c.name, axisWidth-1))
	say := func(v curve, sign string) {
		now := "-"
		if n := len(m.seconds); n > 0 {
			if x := v.of(&m.seconds[n-1]); !math.IsNaN(x) && c.log {
				now = millis(x) + c.unit
			} else if !math.IsNaN(x) {
				now = count(int(x)) + c.unit
			}
		}
		text += sign + " " + v.name + " " + now + "   "
	}
	say(c.bars, c.colour(l).Render(l.full))
	if c.marks.of != nil {
		say(c.marks, l.warn.Render(l.graph.mark))
	}
	return text
}

// row is one line of the graph, the r-th from the top. Cells of one style are written together.
func (c chart) row(l look, s scale, bars, marks []float64, guides map[int]bool, rows, r int) string {
	const (
		nothing = iota
		aBar
		aMark
		aGuide
	)
	styles := [...]lipgloss.Style{lipgloss.NewStyle(), c.colour(l), l.warn, l.faint}
	var line, run strings.Builder
	last, below := nothing, (rows-1-r)*8
	flush := func() {
		if last == nothing {
			line.WriteString(run.String())
		} else if run.Len() > 0 {
			line.WriteString(styles[last].Render(run.String()))
		}
		run.Reset()
	}
	for i, v := range bars {
		kind, sign, high := nothing, " ", s.eighths(v, rows)
		switch filled := high - below; {
		case filled >= 8:
			kind, sign = aBar, l.full
		case filled > 0:
			kind, sign = aBar, l.spark[filled-1]
		case guides[i]:
			kind, sign = aGuide, l.guide
		}
		if marks != nil {
			at := s.eighths(marks[i], rows)
			if here := at > below && at <= below+8; here && (at-1)/8 != (high-1)/8 {
				kind, sign = aMark, l.graph.mark
			}
		}
		if kind != last {
			flush()
			last = kind
		}
		run.WriteString(sign)
	}
	flush()
	return line.String()
}
