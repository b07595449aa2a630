package live

import (
	"fmt"
	"math"
)

// right is what the processes cost, and the thresholds.
func (m *model) right() []*section {
	s := m.status
	if s == nil {
		return nil
	}
	nodes := len(s.Servers)
	all := []*section{{draw: m.nodes, steps: []step{{rankFirst, 1}, {rankMore, min(max(nodes-1, 0), 1)}, {rankRows, min(max(nodes-2, 0), 3)}, {rankRest, max(nodes-4, 0)}}}}
	all = append(all, &section{draw: m.generator, steps: []step{{rankFirst, 1}, {rankMore, 1}}})
	if n := len(s.Outlook); n > 0 {
		all = append(all, &section{draw: m.thresholds, steps: []step{{rankRest, n}}})
	}
	return all
}

// nodes are a line each; where they are more than fit, the first few and their sum.
func (m *model) nodes(width, height int) []string {
	all := m.status.Servers
	shown := min(len(all), height)
	var lines []string
	if len(all) > height {
		shown = height - 1
	}
	for i := range shown {
		lines = append(lines, m.node(i, width-gutter))
	}
	if shown < len(all) {
		lines = append(lines, m.sum(width-gutter, shown))
	}
	return m.named("nodes", lines...)
}

func (m *model) node(i, width int) string {
	s, l := &m.status.Servers[i], m.look
	name := s.Addr
	if s.Node != nil {
		name = *s.Node
	}
	if s.Conns == nil && s.RSSBytes == nil && !s.Killed {
		return l.clip(clean(name), width)
	}
	name = pad(l.clip(clean(name), 4), 4)
	if s.Killed {
		how := "killed"
		if k := m.last.Kind; k == "drain" || k == "restart" {
			how = "drained"
		}
		return name + "  " + l.bad.Render(l.glyphs.bad+" "+how)
	}
	return name + cost(s.Conns, s.RSSBytes, m.cpu(i), width-4)
}

// cost words what is known of a process, in columns.
func cost(conns *int, rss *int64, cpu float64, width int) string {
	var text string
	columns := [3]int{8, 10, 6}
	if width < compact-gutter {
		columns = [3]int{7, 8, 5}
	}
	if conns != nil {
		text += padLeft(count(*conns), columns[0])
		if width >= 37 {
			text += " conns"
		}
	}
	if rss != nil {
		text += padLeft(size(*rss), columns[1])
	}
	if cpu >= 0 {
		text += padLeft(fmt.Sprintf("%.0f%%", cpu), columns[2])
		if width >= 34 {
			text += " cpu"
		}
	}
	return text
}

// sum is that of all nodes, those that are not shown included.
func (m *model) sum(width, shown int) string {
	conns, rss, cpu, gone := 0, int64(0), -1.0, 0
	for i, s := range m.status.Servers {
		if s.Killed {
			gone++
			continue
		}
		if s.Conns != nil {
			conns += *s.Conns
		}
		if s.RSSBytes != nil {
			rss += *s.RSSBytes
		}
		if c := m.cpu(i); c >= 0 {
			cpu = max(cpu, 0) + c
		}
	}
	text := pad(fmt.Sprintf("all %d", len(m.status.Servers)), 4)
	if rss > 0 {
		text += cost(&conns, &rss, cpu, width-4)
	}
	if gone > 0 && width >= compact-gutter {
		text += m.look.bad.Render(fmt.Sprintf("  %d gone", gone))
	}
	return text
}

// cpu is a node's use of a processor in the last second, in percent; -1 if unknown.
func (m *model) cpu(i int) float64 {
	if m.before == nil || i >= len(m.before.Servers) {
		return -1
	}
	return share(m.before.Servers[i].CPUS, m.status.Servers[i].CPUS, m.status.T-m.before.T)
}

func share(before, now *float64, seconds float64) float64 {
	if before == nil || now == nil || seconds <= 0 {
		return -1
	}
	return max(math.Round((*now-*before)/seconds*100), 0)
}

// generator is how punctual the load test is, and its own cost.
func (m *model) generator(width, height int) []string {
	g, l := &m.status.Generator, m.look
	late := "late   -"
	if g.LateMs != nil {
		p99 := millis(g.LateMs.P99)
		if !g.Valid {
			p99 = l.bad.Render(p99)
		}
		late = fmt.Sprintf("late   p50%s  p99%s ms", padLeft(millis(g.LateMs.P50), 7), padLeft(p99, 7))
		if width < compact {
			late = fmt.Sprintf("late   p50%s p99%s", padLeft(millis(g.LateMs.P50), 6), padLeft(p99, 6))
		}
		if s := m.status.LateSecond; s != nil && width >= 56 {
			late += l.faint.Render(fmt.Sprintf("  now %s", millis(s.P99)))
		}
	}
	lines := []string{l.clip(late, width-gutter)}
	if height > 1 {
		workers := "1 process"
		if g.Workers > 1 {
			workers = fmt.Sprintf("%d workers", g.Workers)
		}
		if g.LostWorkers > 0 {
			workers += l.bad.Render(fmt.Sprintf(" %d LOST", g.LostWorkers))
		}
		cpu := -1.0
		if m.before != nil {
			cpu = share(m.before.Generator.CPUS, g.CPUS, m.status.T-m.before.T)
		}
		lines = append(lines, l.clip(workers+cost(nil, g.RSSBytes, cpu, width-gutter), width-gutter))
	}
	return m.named("generator", lines...)
}
