package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
)

// left is what happens to the clients.
func (m *model) left() []*section {
	if m.shakes() {
		return []*section{{draw: m.handshakes, steps: []step{{rankFirst, 2}}}}
	}
	all := []*section{
		{draw: m.rates, steps: []step{{rankFirst, 2}}},
		{draw: m.roundTrips, steps: []step{{rankFirst, 1}, {rankMore, 1}, {rankRest, 1}}},
		{draw: m.lost, steps: []step{{rankMore, 1}}},
	}
	if m.graphed() { // the first is among the graphs, and so is the third line of the second
		all[0], all[1].steps = all[1], all[1].steps[:2]
		all = append(all[:1], all[2:]...)
	}
	if s := m.status; s != nil && s.Messages != nil {
		steps := []step{{rankFirst, 1}, {rankMore, 1}}
		if talked(s.Messages) {
			steps = append(steps, step{rankMore, 1})
		}
		all = append(all, &section{draw: m.messages, steps: steps})
	}
	if s := m.status; s != nil && s.Recovery != nil {
		all = append(all, &section{draw: m.recovery, steps: []step{{rankFirst, 2}, {rankMore, 1}}})
	}
	if s := m.status; s != nil && (s.Muted > 0 || s.False > 0) {
		all = append(all, &section{draw: m.evictions, steps: []step{{rankFirst, 1}, {rankMore, 1}}})
	}
	if s := m.status; s != nil && s.Failures != (result.Failures{}) {
		all = append(all, &section{draw: m.failures, steps: []step{{rankMore, 1}}})
	}
	return all
}

// rates are connect() calls and WELCOMEs of each second, on one scale.
func (m *model) rates(width, _ int) []string {
	const figure = 9
	room := width - gutter - figure
	attempts, connected := m.series(room, attemptsOf), m.series(room, connectedOf)
	top := 0.0
	for _, v := range [][]float64{attempts, connected} {
		if len(v) > 0 {
			top = max(top, slices.Max(v))
		}
	}
	row := func(name string, values []float64) string {
		now := 0.0
		if len(values) > 0 {
			now = values[len(values)-1]
		}
		return m.named(name, m.look.sparkline(values, top, room)+padLeft(count(int(now))+"/s", figure))[0]
	}
	return []string{row("attempts", attempts), row("connected", connected)}
}

func (m *model) roundTrips(width, height int) []string {
	row := func(name string, p50, p99 *float64) string { return pad(name, 7) + spans(p50, p99, width) }
	var lines []string
	s := m.status
	if s == nil {
		s = &bench.Status{}
	}
	lines = append(lines, row("second", s.RTTp50, s.RTTp99))
	var p50, p99 *float64
	if s.RTT != nil {
		p50, p99 = &s.RTT.P50, &s.RTT.P99
	}
	lines = append(lines, row("run", p50, p99))
	if height > 2 && width >= compact {
		const figure = 14
		top := 0.0
		values := m.series(width-gutter-figure, rttOf)
		if len(values) > 0 {
			top = max(top, slices.Max(values))
		}
		lines = append(lines, m.look.sparkline(values, top, width-gutter-figure)+m.look.faint.Render(padLeft("p99 to "+millis(top), figure)))
	}
	return m.named("rtt", lines[:min(len(lines), height)]...)
}

// lost are the sessions that ended and the PINGs that wait, in the last second.
func (m *model) lost(width, _ int) []string {
	l, s := m.look, m.status
	if s == nil {
		s = &bench.Status{}
	}
	say := func(n int, what string) string {
		if n > 0 {
			return l.bad.Render(count(n) + " " + what)
		}
		return l.faint.Render("0 " + what)
	}
	text := say(s.Lost, "lost/s") + "  " + say(s.Unanswered, "unanswered") + "  " + say(s.Failed, "failed/s")
	return m.named("losses", l.clip(text, width-gutter))
}

// spans words two percentiles, in columns.
func spans(p50, p99 *float64, width int) string {
	show := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return millis(*v)
	}
	if width < compact {
		return fmt.Sprintf("p50%s p99%s", padLeft(show(p50), 6), padLeft(show(p99), 6))
	}
	return fmt.Sprintf("p50%s  p99%s ms", padLeft(show(p50), 7), padLeft(show(p99), 7))
}

// recovery counts down to the ideal, and shows who is back beside it.
func (m *model) recovery(width, height int) []string {
	v, l := m.status.Recovery, m.look
	figure := fmt.Sprintf(" %s of %s back", count(v.Back), count(v.Clients))
	since := m.last.At - v.Since
	var marks []string
	for _, t := range []struct {
		name string
		at   *time.Duration
	}{{"T50", v.T50}, {"T95", v.T95}, {"T99", v.T99}, {"all", v.T100}} {
		text := l.faint.Render(t.name + " -  ")
		if t.at != nil {
			text = l.bright.Render(t.name + " " + secs(*t.at) + " s")
		}
		marks = append(marks, text)
	}
	if width < 60 {
		marks = marks[:3]
	}
	between := "  "
	if width < compact {
		between = " "
	}
	lines := []string{
		l.bar(v.Back, v.Clients, width-gutter-len(figure)) + figure,
		strings.Join(marks, between),
	}
	if height < 3 { // the countdown is worth more than a bar
		lines[0] = fmt.Sprintf("%s/%s, %s", count(v.Back), count(v.Clients), m.countdown(since, " to ideal", " over ideal"))
		if v.T100 != nil {
			lines[0] = m.countdown(since, "", "")
		}
	} else {
		text := m.countdown(since, " to go", " over")
		if v.Ideal != nil && v.T100 == nil {
			text = "ideal " + secs(*v.Ideal) + " s, " + text
		}
		lines = append(lines, text)
	}
	for i := range lines {
		lines[i] = l.clip(lines[i], width-gutter)
	}
	return m.named("recovery", lines...)
}

// countdown is the time to the ideal or beyond it, or what it took.
func (m *model) countdown(since time.Duration, toGo, over string) string {
	v, l := m.status.Recovery, m.look
	switch {
	case v.Clients == 0:
		return "nobody is hit yet"
	case v.T100 != nil && v.Ideal != nil:
		return fmt.Sprintf("took %s s, ideal %s s", secs(*v.T100), secs(*v.Ideal))
	case v.T100 != nil:
		return fmt.Sprintf("took %s s", secs(*v.T100))
	case v.Ideal == nil:
		return secs(since) + " s so far"
	case *v.Ideal >= since:
		return l.accent.Render(secs(*v.Ideal-since) + " s" + toGo)
	default:
		return l.warn.Render(secs(since-*v.Ideal) + " s" + over)
	}
}

// evictions are of silent clients, and of living ones, which should have none.
func (m *model) evictions(width, height int) []string {
	s, l := m.status, m.look
	text := fmt.Sprintf("%s of %s silent ones", count(s.Evicted), count(s.Muted))
	if width < compact {
		text = fmt.Sprintf("%s/%s silent", count(s.Evicted), count(s.Muted))
	}
	bad := func(n int, what string) {
		if n > 0 {
			text += "  " + l.bad.Render(count(n)+" "+strings.ToUpper(what))
		} else if width >= compact {
			text += l.faint.Render("  0 " + what)
		}
	}
	bad(s.Early, "early")
	bad(s.False, "false")
	lines := []string{text}
	if height > 1 {
		late := "late   " + spans(nil, nil, width)
		if v := s.Lateness; v != nil {
			late = "late   " + spans(&v.P50, &v.P99, width)
			if width >= compact {
				late += "  max " + millis(v.Max)
			}
		}
		lines = append(lines, late)
	}
	return m.named("evicted", lines...)
}

func (m *model) failures(width, _ int) []string {
	return m.named("failed", m.look.warn.Render(m.look.clip(m.status.Failures.String(), width-gutter)))
}
