package main

import (
	"fmt"
	"strings"
)

// row is a line of a table: one measurement of all subjects.
type row struct {
	key, text string
	scale     float64 // from the measurement's unit to the table's
}

var rows = []row{
	{"build_ns", "arm, from nobody to N, ns", 1},
	{"arm_ns", "arm among N, ns", 1},
	{"arm_allocs", "allocations to arm", 1},
	{"refresh_ns", "heartbeat, random among N, ns", 1},
	{"refresh_hot_ns", "heartbeat in cache, ns", 1},
	{"refresh_allocs", "allocations a heartbeat", 1},
	{"cancel_ns", "cancel, random among N, ns", 1},
	{"visit_ns", "look at a live entry, ns", 1},
	{"expire1_ns", "expire 1 %, ns each", 1},
	{"expire100_ns", "expire 100 % at once, ns each", 1},
	{"empty_ns", "empty tick, ns", 1},
	{"steady", "**fleet, % of a core**", 100},
	{"pause_live_us", "longest call in the fleet, µs", 1},
	{"pause_us", "longest call, all expire, µs", 1},
	{"bytes", "bytes a connection", 1},
	{"total_mb", "all, MB", 1},
	{"scan_kb", "heap that the collector scans, KB", 1},
	{"gc_ms", "CPU of a collection, ms", 1},
}

// section is the part of BENCHMARKS.md.
func section(a *runs) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## The wheel and its rivals\n\n")
	fmt.Fprintf(&b, "%s\n\n```\ncd bench/wheels && %s\n```\n\n", a.where(), a.command)
	b.WriteString(intro)
	b.WriteString("\n")
	b.WriteString(layouts(a))
	b.WriteString("\n### Figures to reach\n\n")
	b.WriteString(verdicts(a))
	for _, n := range a.sizes {
		fmt.Fprintf(&b, "\n### %s connections\n\nMedian of %s", grouped(n), plural(a.repeats(n), "repeat"))
		if n > 1_000_000 {
			b.WriteString(" (those that take a minute each: of one)")
		}
		if f := a.figure(memoryKind, n, "apart_ns"); f.ok {
			c := a.figure(memoryKind, n, "chained_ns")
			fmt.Fprintf(&b, "; this machine's memory alone, for 16 bytes at random among as many: %s ns to read and write, %s ns if each address waits for the one before",
				number(f.median), number(c.median))
		}
		b.WriteString(".\n\n")
		table(&b, a, n)
	}
	return b.String()
}

const intro = `A fleet: each connection beats every 30 s (± 2 s) and is over after 75 s of silence; a tick
is 250 ms. A cell is processor time, the collector's included: the median, (how many times
the wheel's, taken pairwise by repeat), and [lowest-highest]. Each subject runs alone in a
process of its own, in turn. Callbacks count and do nothing else. A dash: not run, or it did
not keep up and evicted who had beaten.

The runtime's timers and RussellLuo's know real time only: their fleet lives up to 125 times
faster, as far as they keep up, and its cost is divided by that; they have no call that
expires, so no longest call either, but a goroutine for each expiry (not run with ten
million: they would not fit into memory). RussellLuo's fleet of ten million is not run
either: it can't live faster than it does. The sweeps walk an array of 8 bytes a connection,
where uSockets follows a list through its sockets; the sweep every 4 s is up to 4 s late
where the others are at most two ticks. The longest call is wall time on a machine with other
work: it holds preemptions too.

The driver's own cost is subtracted from everybody's fleet, heartbeats, arm, cancel and empty
tick: it is measured in the same process with a subject that does nothing, so it holds the call
through an interface and the loop over a list of connections.

![Processor time of a fleet](docs/img/wheel-fleet.svg)

![Processor time of a tick with a thousand visits](docs/img/wheel-tick.svg)
`

func table(b *strings.Builder, a *runs, n int) {
	var present []kind
	for _, k := range kinds {
		if len(a.values[runKey{k.name, n}]) > 0 {
			present = append(present, k)
		}
	}
	b.WriteString("| |")
	for _, k := range present {
		fmt.Fprintf(b, " %s |", k.text)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(present)) + "\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s |", r.text)
		for _, k := range present {
			fmt.Fprintf(b, " %s |", cell(a, k.name, n, r))
		}
		b.WriteString("\n")
	}
}

func cell(a *runs, name string, n int, r row) string {
	f := a.figure(name, n, r.key)
	if !f.ok {
		return "-"
	}
	text := number(f.median * r.scale)
	if name != "wheel" {
		if ratio, ok := a.ratio(name, n, r.key); ok {
			text += " (" + number(ratio) + "x)"
		}
	}
	if low, high := number(f.low*r.scale), number(f.high*r.scale); low != high {
		text += " [" + low + "-" + high + "]"
	}
	return text
}

// number prints two digits that count, or all before the point.
func number(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.095:
		return fmt.Sprintf("%.2g", x)
	case x < 0.995:
		return fmt.Sprintf("%.2f", x)
	case x < 9.95:
		return fmt.Sprintf("%.1f", x)
	default:
		return grouped(int(x + 0.5))
	}
}

// grouped puts commas between thousands.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
