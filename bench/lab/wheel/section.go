// Package wheel compares the timing wheel with other ways to keep the deadlines of very many
// connections.
//
// Each subject runs alone in a child process, one after the other, in turn: so none inherits
// another's heap, and a slow minute of the machine hits all of them. What is counted is
// processor time, the collector's included.
package wheel

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Section is the part of BENCHMARKS.md about the wheel.
var Section = kit.Section{Name: "wheel", Title: "The wheel and its rivals",
	Code:  []string{"timingwheel", "bench/lab/wheel"},
	Steps: steps, Alone: alone, Write: write}

// memoryKind is no subject: what this machine's memory costs.
const memoryKind = "memory"

// series is a number of connections and how often all subjects take their turn.
type series struct{ n, repeats int }

func plan(k *kit.Kept) []series {
	plan := slices.Clone(efforts[k.Effort.Name].fleets)
	if k.Effort.Size > 0 {
		plan = []series{{k.Effort.Size, 3}}
	}
	if k.Effort.Rounds > 0 {
		for i := range plan {
			plan[i].repeats = k.Effort.Rounds
		}
	}
	return plan
}

func steps(k *kit.Kept) []kit.Step {
	var all []kit.Step
	for _, s := range plan(k) {
		all = append(all, kit.Turns(s.repeats, kit.Step{Workload: "fleet", Size: s.n}, append([]string{memoryKind}, kindNames()...),
			func(name string, round int) bool {
				return !kindOf(name).slow || round == 0 || s.n <= 1_000_000
			})...)
	}
	return all
}

// alone measures one subject in this process.
func alone(t kit.Task) (map[string]float64, error) {
	debug.SetMemoryLimit(16 << 30) // a subject that outgrows the machine must fail alone
	kind := kindOf(t.Subject)
	switch {
	case t.Subject == memoryKind:
		return memoryLatency(t.Size), nil
	case kind.name == "":
		return nil, fmt.Errorf("no subject %q", t.Subject)
	}
	return measureAll(kind, t.Size, efforts[t.Effort.Name]), nil
}

// row is a line of a table: one measurement of all subjects.
type row struct{ key, text string }

var rows = []row{
	{"build_ns", "arm, from nobody to N, ns"},
	{"arm_ns", "arm among N, ns"},
	{"arm_allocs", "allocations to arm"},
	{"refresh_ns", "heartbeat, random among N, ns"},
	{"refresh_hot_ns", "heartbeat in cache, ns"},
	{"refresh_allocs", "allocations a heartbeat"},
	{"cancel_ns", "cancel, random among N, ns"},
	{"visit_ns", "look at a live entry, ns"},
	{"expire1_ns", "expire 1 %, ns each"},
	{"expire100_ns", "expire 100 % at once, ns each"},
	{"empty_ns", "empty tick, ns"},
	{"steady", "**fleet, % of a core**"},
	{"pause_live_us", "longest call in the fleet, µs"},
	{"pause_us", "longest call, all expire, µs"},
	{"bytes", "bytes a connection"},
	{"total_mb", "all, MB"},
	{"scan_kb", "heap that the collector scans, KB"},
	{"gc_ms", "CPU of a collection, ms"},
}

// figure is one as the page has it: a part of a core in percent.
func figure(k *kit.Kept, name string, n int, key string) kit.Sample {
	s := k.Sample(at(name, n), key)
	if key == "steady" {
		return s.Times(100)
	}
	return s
}

func write(p *kit.Page, k *kit.Kept) error {
	p.WriteString(intro)
	p.Picture("wheel-fleet.svg", "Processor time of a fleet", fleetGraph(k).SVG(k))
	p.WriteString("\n")
	p.Picture("wheel-tick.svg", "Processor time of a tick with a thousand visits", tickGraph(k).SVG(k))
	p.Printf("\n%s\n### Figures to reach\n\n", layouts(k))
	p.Targets("figure", targets(k))
	for _, s := range plan(k) {
		p.Printf("### %s connections\n\nMedian of %s", kit.Count(s.n), plural(k.Rounds(at("wheel", s.n)), "repeat"))
		if s.n > 1_000_000 {
			p.WriteString(" (those that take a minute each: of one)")
		}
		if apart := k.Sample(at(memoryKind, s.n), "apart_ns"); apart.N > 0 {
			p.Printf("; this machine's memory alone, for 16 bytes at random among as many: %s ns to read and write, %s ns if each address waits for the one before",
				kit.Number(apart.Median), kit.Number(k.Sample(at(memoryKind, s.n), "chained_ns").Median))
		}
		p.WriteString(".\n\n")
		table(p, k, s.n)
	}
	return nil
}

// at is the step of a subject with so many connections.
func at(name string, n int) kit.Step { return kit.Step{Workload: "fleet", Subject: name, Size: n} }

// ratio is how many times as much as the wheel a subject takes, by repeat.
func ratio(k *kit.Kept, name string, n int, key string) kit.Sample {
	return k.Paired(at(name, n), at("wheel", n), key, kit.Ratio)
}

const intro = `A fleet: each connection beats every 30 s (± 2 s) and is over after 75 s of silence; a tick
is 250 ms. A cell is processor time, the collector's included: the median, (how many times
the wheel's, taken pairwise by repeat), and [lowest - highest]. Each subject runs alone in a
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

`

func table(p *kit.Page, k *kit.Kept, n int) {
	head, present := []string{""}, []kind(nil)
	for _, one := range kinds {
		if k.Rounds(at(one.name, n)) > 0 {
			head, present = append(head, one.text), append(present, one)
		}
	}
	var all [][]string
	for _, r := range rows {
		cells := []string{r.text}
		for _, one := range present {
			cells = append(cells, cell(k, one.name, n, r))
		}
		all = append(all, cells)
	}
	p.Table(head, all)
}

func cell(k *kit.Kept, name string, n int, r row) string {
	s := figure(k, name, n, r.key)
	median, spread, several := strings.Cut(s.String(), " ")
	if times := ratio(k, name, n, r.key); name != "wheel" && times.N > 0 {
		median += " (" + kit.Number(times.Median) + "x)"
	}
	if several {
		median += " " + spread
	}
	return median
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
