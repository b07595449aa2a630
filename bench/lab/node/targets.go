package node

import (
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// bar is a figure of ours to reach, against another server or for itself.
type bar struct {
	what  string
	step  kit.Step
	name  string
	other string // empty: the figure itself
	// combine compares ours with the other's in one round; default: the ratio.
	combine func(x, y float64) float64
	most    float64
	unit    string
}

func (e effort) bars() []bar {
	full, idle := e.top(), e.idleStep()
	return []bar{
		{what: "memory of an idle connection, of bare gnet's", step: idle, name: "bytes", other: "gnet", most: 1.25, unit: "x"},
		{what: "CPU of a heartbeat at full load, of bare gnet's", step: full, name: "cpu_us", other: "gnet", most: 1.05, unit: "x"},
		{what: "user time alone, of bare gnet's", step: full, name: "user_us", other: "gnet", most: 1.5, unit: "x"},
		{what: "CPU of a heartbeat, of nbio's", step: full, name: "cpu_us", other: "nbio", most: 0.9, unit: "x"},
		{what: "CPU of a heartbeat, of Go net's", step: full, name: "cpu_us", other: "go-net", most: 0.8, unit: "x"},
		{what: "CPU of a heartbeat, of Netty's", step: full, name: "cpu_us", other: "netty", most: 0.7, unit: "x"},
		{what: "RTT p99 at full load, beyond bare gnet's and a tenth or 1 ms", step: full, name: "rtt_p99", other: "gnet",
			combine: func(x, y float64) float64 { return x - max(1.1*y, y+1) }, most: 0, unit: " ms"},
		{what: "eviction lateness p99: 2 ticks and 50 ms", step: e.evictStep(), name: "late_p99",
			most: float64((2 * evictTick).Milliseconds()) + 50, unit: " ms"},
	}
}

// target compares ours as the bar wants it.
func (b bar) target(k *kit.Kept) kit.Target {
	own := b.step.Of(peers.Ours)
	t := kit.Target{What: b.what, AtMost: &b.most, Unit: b.unit}
	if b.combine == nil {
		b.combine = kit.Ratio
	}
	if b.other == "" {
		t.Of = k.Sample(own, b.name)
	} else {
		t.Of = k.Paired(own, b.step.Of(b.other), b.name, b.combine)
	}
	return t
}

func (w writer) targets() {
	w.WriteString(`### Figures to reach

The median decides. Where there are six rounds at least, the interval stands beside it that holds
it with a confidence of 95 %, by order statistics over the rounds (no distribution is assumed);
then a bar is missed when the whole interval lies above it.

`)
	var all []kit.Target
	for _, b := range w.e.bars() {
		all = append(all, b.target(w.k))
	}
	w.Targets("figure", all)
}

// losses lists where another server has the better median.
func (w writer) losses() {
	const clearly = 1.02 // nearer than that is the same
	var lines []string
	for _, c := range []struct {
		what  string
		step  kit.Step
		name  string
		least bool // more is better
	}{
		{"memory of an idle connection", w.e.idleStep(), "bytes", false},
		{"connects a second", w.e.connectStep(), "connect_s", true},
		{"CPU of a connect", w.e.connectStep(), "connect_us", false},
		{"CPU of a heartbeat at full load", w.e.top(), "cpu_us", false},
		{"RTT p99 at full load", w.e.top(), "rtt_p99", false},
		{"lateness p99 of a mass eviction", w.e.evictStep(), "late_p99", false},
		{"RTT p99 during a mass eviction", w.e.evictStep(), "rtt_p99", false},
		{"all back after a kill", w.e.stormStep(), "t100_s", false},
	} {
		own := w.k.Sample(c.step.Of(peers.Ours), c.name)
		var better []string
		for _, r := range rows() {
			it := w.k.Sample(c.step.Of(r.Subject), c.name)
			if r.Subject == peers.Ours || r.Subject == openKind || own.N == 0 || it.N == 0 {
				continue
			}
			if !c.least && own.Median > it.Median*clearly || c.least && own.Median*clearly < it.Median {
				better = append(better, fmt.Sprintf("%s %s", r.Label, kit.Number(it.Median)))
			}
		}
		if len(better) > 0 {
			lines = append(lines, fmt.Sprintf("- %s, ours %s: %s", c.what, kit.Number(own.Median), strings.Join(better, ", ")))
		}
	}
	if len(lines) > 0 {
		w.WriteString("Where another server is better than Stormwheel, by the median:\n\n" + strings.Join(lines, "\n") + "\n\n")
	}
}
