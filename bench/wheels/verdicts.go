package main

import (
	"fmt"
	"strings"
)

// goal is one figure of the issue. want is an upper bound for a value of the
// wheel's, or a lower one for a ratio to a rival's.
type goal struct {
	text  string
	n     int
	key   string
	rival string  // "": the value itself
	want  float64 // in the table's unit
	scale float64
	unit  string
	why   string // what stands in the way, if it is not reached
}

var goals = []goal{
	{"a heartbeat against `Timer.Reset`", 1_000_000, "refresh_ns", "timers", 20, 1, "", whyRefresh},
	{"a heartbeat against RussellLuo's stop + start", 1_000_000, "refresh_ns", "russell", 10, 1, "", whyRefresh},
	{"a heartbeat in cache", 1_000_000, "refresh_hot_ns", "", 2, 1, " ns", "The thousand are spread over all, each in a cache line and a page of its own: more than the first level of caches holds. Besides the store there are the table of blocks and its bounds check."},
	{"arm", 100_000, "arm_ns", "", 10, 1, " ns", "Arming writes an entry and a chunk, and takes the ID that has been free the longest, whose entry is the coldest there is: the order that keeps stale handles detectable."},
	{"cancel", 100_000, "cancel_ns", "", 5, 1, " ns", "Cancelling is exact: it fills the hole with the last ID of the slot, so it touches the entry, its chunk, the slot, the first chunk and the entry that moves, each found through the one before. A tombstone would be one write, but memory would follow the churn then, or the exact way be taken as soon as tombstones have their share."},
	{"1 M connections: part of a core", 1_000_000, "steady", "", 0.1, 100, " %", whyFleet},
	{"1 M connections against runtime timers", 1_000_000, "steady", "timers", 50, 1, "", whySteady},
	{"1 M connections against the sweep of every tick", 1_000_000, "steady", "sweep", 10, 1, "", "The sweep of this table reads 8 bytes a connection in order, which the processor fetches ahead; it is the best case of the idea."},
	{"live visit, 1 M", 1_000_000, "visit_ns", "", 15, 1, " ns", whyVisit},
	{"live visit, 10 M", 10_000_000, "visit_ns", "", 30, 1, " ns", whyVisit},
	{"expire, each of 1 M", 1_000_000, "expire100_ns", "", 15, 1, " ns", "It holds a callback that counts, a new generation, the queue of free IDs and the budget's clock; and the entry's cache line, as a live visit does."},
	{"empty tick", 1_000_000, "empty_ns", "", 5, 1, " ns", "It holds the budget that goes in and the progress that comes out, the next tick, and a look at two bits of the map."},
	{"10 M connections, all", 10_000_000, "total_mb", "", 240, 1, " MB", ""},
	{"1 M connections: bytes each", 1_000_000, "bytes", "", 24, 1, " B", ""},
	{"1 M connections: heap to scan", 1_000_000, "scan_kb", "", 64, 1, " KB", ""},
}

const (
	whyVisit   = "A visit reads and writes one entry at random. The next chunk's entries are fetched meanwhile; what this machine's memory takes for that alone stands above the table. The rest is the place in the slot it is filed in."
	whyFleet   = "About half of it are heartbeats, each a store to a cache line that is elsewhere; the rest are visits."
	whyRefresh = "A heartbeat at random among a million is one store to a cache line that is elsewhere: the rivals' own work comes on top of the same wait, which makes the ratio smaller than in cache."
	whySteady  = "Both wait for a cache line a heartbeat, which is about half of what the wheel does; the runtime's heap adds its own only when a timer that was moved comes to its top, so it is lazy too."
)

// verdicts says of each figure whether it was reached, or by how much not.
func verdicts(a *runs) string {
	var b strings.Builder
	b.WriteString("| figure | wanted | got | |\n|---|---|---|---|\n")
	for _, g := range goals {
		verdict(&b, a, g)
	}
	flat(&b, a)
	return b.String()
}

func verdict(b *strings.Builder, a *runs, g goal) {
	if g.rival == "" {
		f := a.figure("wheel", g.n, g.key)
		if !f.ok {
			return
		}
		got, low, high := f.median*g.scale, f.low*g.scale, f.high*g.scale
		fmt.Fprintf(b, "| %s | at most %s%s | %s%s [%s-%s] | ", g.text, number(g.want), g.unit, number(got), g.unit, number(low), number(high))
		if got <= g.want {
			b.WriteString("reached |\n")
		} else {
			fmt.Fprintf(b, "not reached: %s times too much. %s |\n", number(got/g.want), g.why)
		}
		return
	}
	got, ok := a.ratio(g.rival, g.n, g.key)
	if !ok {
		return
	}
	fmt.Fprintf(b, "| %s | at least %sx | %sx | ", g.text, number(g.want), number(got))
	if got >= g.want {
		b.WriteString("reached |\n")
	} else {
		fmt.Fprintf(b, "not reached: %s times too little. %s |\n", number(g.want/got), g.why)
	}
}

// flat compares a tick with a thousand visits between the smallest and the
// largest number of connections.
func flat(b *strings.Builder, a *runs) {
	first, last := a.sizes[0], a.sizes[len(a.sizes)-1]
	small, large := a.figure("wheel", first, "flat_us"), a.figure("wheel", last, "flat_us")
	if !small.ok || !large.ok || small.median <= 0 {
		return
	}
	grown := large.median / small.median
	fmt.Fprintf(b, "| a tick with 1,000 visits, %s against %s connections | flat | %s µs against %s µs: %sx | ",
		grouped(last), grouped(first), number(large.median), number(small.median), number(grown))
	if grown <= 1.5 {
		b.WriteString("reached |\n")
		return
	}
	memory := a.figure(memoryKind, last, "apart_ns").median / a.figure(memoryKind, first, "apart_ns").median
	fmt.Fprintf(b, "flat in the number of steps, not in time: %s times the connections make it %s times dearer, because the entries leave the caches; the machine's memory alone becomes %s times dearer |\n",
		grouped(last/first), number(grown), number(memory))
}

// layouts says why the package has the buckets that it has.
func layouts(a *runs) string {
	n := a.sizes[len(a.sizes)-1]
	ratio := func(key string) string {
		r, ok := a.ratio("list", n, key)
		if !ok {
			return "?"
		}
		return number(r)
	}
	return fmt.Sprintf("Chunked arrays of IDs or an intrusive list? With %s connections the list takes %s times the\n"+
		"wheel's time for a live visit, %s times for an expiry and %s times for the fleet: the way to an\n"+
		"entry goes through the one before it, so nothing can be fetched ahead. It takes %s times to arm\n"+
		"and %s times to cancel. A connection is armed and cancelled once and visited every minute, so\n"+
		"the arrays are the package, and the list lives here only.\n",
		grouped(n), ratio("visit_ns"), ratio("expire100_ns"), ratio("steady"), ratio("arm_ns"), ratio("cancel_ns"))
}
