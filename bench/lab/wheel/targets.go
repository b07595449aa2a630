package wheel

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// goal is one figure. want is an upper bound for a value of the
// wheel's, or a lower one for a ratio to a rival's.
type goal struct {
	text  string
	n     int
	key   string
	rival string  // "": the value itself
	want  float64 // in the table's unit
	unit  string
	why   string // what stands in the way, if it is not reached
}

var goals = []goal{
	{"a heartbeat against `Timer.Reset`", 1_000_000, "refresh_ns", "timers", 20, "", whyRefresh},
	{"a heartbeat against RussellLuo's stop + start", 1_000_000, "refresh_ns", "russell", 10, "", whyRefresh},
	{"a heartbeat in cache", 1_000_000, "refresh_hot_ns", "", 2, " ns", "The thousand are spread over all, each in a cache line and a page of its own: more than the first level of caches holds. Besides the store there are the table of blocks and its bounds check."},
	{"arm", 100_000, "arm_ns", "", 10, " ns", "Arming writes an entry and a chunk, and takes the ID that has been free the longest, whose entry is the coldest there is: the order that keeps stale handles detectable."},
	{"cancel", 100_000, "cancel_ns", "", 5, " ns", "Cancelling is exact: it fills the hole with the last ID of the slot, so it touches the entry, its chunk, the slot, the first chunk and the entry that moves, each found through the one before. A tombstone would be one write, but memory would follow the churn then, or the exact way be taken as soon as tombstones have their share."},
	{"1 M connections: part of a core", 1_000_000, "steady", "", 0.1, " %", whyFleet},
	{"1 M connections against runtime timers", 1_000_000, "steady", "timers", 50, "", whySteady},
	{"1 M connections against the sweep of every tick", 1_000_000, "steady", "sweep", 10, "", "The sweep of this table reads 8 bytes a connection in order, which the processor fetches ahead; it is the best case of the idea."},
	{"live visit, 1 M", 1_000_000, "visit_ns", "", 15, " ns", whyVisit},
	{"live visit, 10 M", 10_000_000, "visit_ns", "", 30, " ns", whyVisit},
	{"expire, each of 1 M", 1_000_000, "expire100_ns", "", 15, " ns", "It holds a callback that counts, a new generation, the queue of free IDs and the budget's clock; and the entry's cache line, as a live visit does."},
	{"empty tick", 1_000_000, "empty_ns", "", 5, " ns", "It holds the budget that goes in and the progress that comes out, the next tick, and a look at two bits of the map."},
	{"10 M connections, all", 10_000_000, "total_mb", "", 240, " MB", ""},
	{"1 M connections: bytes each", 1_000_000, "bytes", "", 24, " B", ""},
	{"1 M connections: heap to scan", 1_000_000, "scan_kb", "", 64, " KB", ""},
}

const (
	whyVisit   = "A visit reads and writes one entry at random. The next chunk's entries are fetched meanwhile; what this machine's memory takes for that alone stands above the table. The rest is the place in the slot it is filed in."
	whyFleet   = "About half of it are heartbeats, each a store to a cache line that is elsewhere; the rest are visits."
	whyRefresh = "A heartbeat at random among a million is one store to a cache line that is elsewhere: the rivals' own work comes on top of the same wait, which makes the ratio smaller than in cache."
	whySteady  = "Both wait for a cache line a heartbeat, which is about half of what the wheel does; the runtime's heap adds its own only when a timer that was moved comes to its top, so it is lazy too."
)

// targets are the goals for which there are measurements.
func targets(k *kit.Kept) []kit.Target {
	var all []kit.Target
	for _, g := range goals {
		t := kit.Target{What: g.text, Unit: g.unit, Why: g.why}
		if g.rival == "" {
			t.AtMost, t.Of = &g.want, figure(k, "wheel", g.n, g.key)
		} else {
			t.AtLeast, t.Unit, t.Of = &g.want, "x", ratio(k, g.rival, g.n, g.key)
		}
		if t.Of.N > 0 {
			all = append(all, t)
		}
	}
	return append(all, flat(k)...)
}

// flat compares a tick with a thousand visits between the smallest and the largest number of
// connections.
func flat(k *kit.Kept) []kit.Target {
	sizes := plan(k)
	first, last := sizes[0].n, sizes[len(sizes)-1].n
	small, large := k.Sample(at("wheel", first), "flat_us").Median, k.Sample(at("wheel", last), "flat_us").Median
	if small <= 0 || large <= 0 {
		return nil
	}
	memory := k.Sample(at(memoryKind, last), "apart_ns").Median / k.Sample(at(memoryKind, first), "apart_ns").Median
	return []kit.Target{{What: fmt.Sprintf("a tick with 1,000 visits, %s against %s connections", kit.Count(last), kit.Count(first)),
		AtMost: new(1.5), Unit: "x", Of: kit.SampleOf([]float64{large / small}),
		Got: fmt.Sprintf("%s µs against %s µs: %sx", kit.Number(large), kit.Number(small), kit.Number(large/small)),
		Why: fmt.Sprintf("It is flat in the number of steps, not in time: with %s times the connections the entries leave the caches; the machine's memory alone becomes %s times dearer.",
			kit.Count(last/first), kit.Number(memory))}}
}

// layouts says why the package has the buckets that it has.
func layouts(k *kit.Kept) string {
	sizes := plan(k)
	n := sizes[len(sizes)-1].n
	times := func(key string) string {
		if r := ratio(k, "list", n, key); r.N > 0 {
			return kit.Number(r.Median)
		}
		return "?"
	}
	return fmt.Sprintf("Chunked arrays of IDs or an intrusive list? With %s connections the list takes %s times the\n"+
		"wheel's time for a live visit, %s times for an expiry and %s times for the fleet: the way to an\n"+
		"entry goes through the one before it, so nothing can be fetched ahead. It takes %s times to arm\n"+
		"and %s times to cancel. A connection is armed and cancelled once and visited every minute, so\n"+
		"the arrays are the package, and the list lives here only.\n",
		kit.Count(n), times("visit_ns"), times("expire100_ns"), times("steady"), times("arm_ns"), times("cancel_ns"))
}
