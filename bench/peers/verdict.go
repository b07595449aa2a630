package main

import (
	"fmt"
	"strings"
)

// bar is a figure to reach, against another server or for itself.
type bar struct {
	what  string
	step  step
	name  string
	other string // empty: the figure itself
	// combine compares ours with the other's in one round; default: the ratio.
	combine func(x, y float64) float64
	most    float64
	unit    string
}

func (r *results) bars() []bar {
	e := r.Effort
	full := e.top()
	idle := step{Workload: "idle", Conns: e.Conns}
	return []bar{
		{what: "memory of an idle connection, of bare gnet's", step: idle, name: "bytes", other: "gnet", most: 1.25, unit: "x"},
		{what: "CPU of a heartbeat at full load, of bare gnet's", step: full, name: "cpu_us", other: "gnet", most: 1.05, unit: "x"},
		{what: "user time alone, of bare gnet's", step: full, name: "user_us", other: "gnet", most: 1.5, unit: "x"},
		{what: "CPU of a heartbeat, of nbio's", step: full, name: "cpu_us", other: "nbio", most: 0.9, unit: "x"},
		{what: "CPU of a heartbeat, of Go net's", step: full, name: "cpu_us", other: "go-net", most: 0.8, unit: "x"},
		{what: "CPU of a heartbeat, of Netty's", step: full, name: "cpu_us", other: "netty", most: 0.7, unit: "x"},
		{what: "RTT p99 at full load, beyond bare gnet's and a tenth or 1 ms", step: full, name: "rtt_p99", other: "gnet",
			combine: func(x, y float64) float64 { return x - max(1.1*y, y+1) }, most: 0, unit: " ms"},
		{what: "eviction lateness p99: 2 ticks and 50 ms", step: step{Workload: "evict", Conns: e.Silent}, name: "late_p99",
			most: float64((2 * evictTick).Milliseconds()) + 50, unit: " ms"},
	}
}

// values are ours, by round, compared as the bar wants it.
func (r *results) values(b bar) []float64 {
	own := r.of(b.step.by(ours))
	if b.other == "" {
		var all []float64
		for _, f := range own {
			if v, ok := f[b.name]; ok {
				all = append(all, v)
			}
		}
		return all
	}
	combine := b.combine
	if combine == nil {
		combine = ratio
	}
	return paired(own, r.of(b.step.by(b.other)), b.name, combine)
}

func (r *results) verdicts(b *strings.Builder) {
	b.WriteString(`### Figures to reach

The interval has a confidence of 95 %, by order statistics over the rounds (no distribution is
assumed), where there are six rounds at least. A bar is missed when the whole interval lies
above it.

| figure | at most | median | interval | rounds | |
|---|---|---|---|---|---|
`)
	for _, bar := range r.bars() {
		values := r.values(bar)
		if len(values) == 0 {
			fmt.Fprintf(b, "| %s | %s%s | - | - | 0 | not measured |\n", bar.what, number(bar.most), bar.unit)
			continue
		}
		i := intervalOf(values)
		limits := "-"
		if i.known {
			limits = fmt.Sprintf("%s - %s", number(i.low), number(i.high))
		}
		fmt.Fprintf(b, "| %s | %s%s | %s%s | %s | %d | %s |\n", bar.what, number(bar.most), bar.unit,
			number(i.median), bar.unit, limits, i.n, i.against(bar.most))
	}
	b.WriteString("\n")
}

// against says whether a bar is reached.
func (i interval) against(most float64) string {
	switch {
	case !i.known && i.median <= most:
		return "reached, by the median alone"
	case !i.known:
		return "**missed**, by the median alone"
	case i.low > most:
		return "**missed**"
	case i.high <= most:
		return "reached"
	default:
		return "not missed: the interval lies on both sides"
	}
}

// losses lists where another server has the better median.
func (r *results) losses(b *strings.Builder) {
	e := r.Effort
	const clearly = 1.02 // nearer than that is the same
	var lines []string
	for _, c := range []struct {
		what  string
		step  step
		name  string
		least bool // more is better
	}{
		{"memory of an idle connection", step{Workload: "idle", Conns: e.Conns}, "bytes", false},
		{"connects a second", step{Workload: "connect", Conns: e.Conns}, "connect_s", true},
		{"CPU of a connect", step{Workload: "connect", Conns: e.Conns}, "connect_us", false},
		{"CPU of a heartbeat at full load", e.top(), "cpu_us", false},
		{"RTT p99 at full load", e.top(), "rtt_p99", false},
		{"lateness p99 of a mass eviction", step{Workload: "evict", Conns: e.Silent}, "late_p99", false},
		{"RTT p99 during a mass eviction", step{Workload: "evict", Conns: e.Silent}, "rtt_p99", false},
		{"all back after a kill", step{Workload: "storm", Conns: e.StormConns}, "t100_s", false},
	} {
		own := summarise(r.of(c.step.by(ours)), c.name)
		var better []string
		for _, kind := range r.kinds(c.step) {
			it := summarise(r.of(c.step.by(kind)), c.name)
			if kind == ours || kind == openKind || own.rounds == 0 || it.rounds == 0 {
				continue
			}
			if !c.least && own.median > it.median*clearly || c.least && own.median*clearly < it.median {
				better = append(better, fmt.Sprintf("%s %s", labelOf(kind), number(it.median)))
			}
		}
		if len(better) > 0 {
			lines = append(lines, fmt.Sprintf("- %s, ours %s: %s", c.what, number(own.median), strings.Join(better, ", ")))
		}
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("Where another server is better than Stormwheel, by the median:\n\n" + strings.Join(lines, "\n") + "\n\n")
}
