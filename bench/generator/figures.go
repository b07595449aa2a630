package main

import (
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// figure is one that is to be reached.
type figure struct {
	name     string
	wanted   float64
	atMost   bool // else at least
	got      spread
	decimals int
	unit     string
	why      string // what stands in the way, if it is not reached
}

func (f figure) reached() bool {
	if f.atMost {
		return f.got.median > 0 && f.got.median <= f.wanted // 0 is no measurement
	}
	return f.got.median >= f.wanted
}

func (f figure) row() string {
	value := func(v float64) string { return number(v, f.decimals) }
	bound := "at least "
	if f.atMost {
		bound = "at most "
	}
	verdict := "reached"
	if !f.reached() {
		verdict = fmt.Sprintf("missed by %.0f %%. %s", 100*max(f.got.median/f.wanted-1, 1-f.got.median/f.wanted), f.why)
	}
	return fmt.Sprintf("| %s | %s%s%s | %s%s [%s-%s] | %s |\n", f.name, bound, value(f.wanted), f.unit,
		value(f.got.median), f.unit, value(f.got.low), value(f.got.high), verdict)
}

// figures are those that the generator is to reach.
func (r *results) figures(res *result.Result) []figure {
	perConn := spreadOf(r.Memory["swarm"], func(m memory) float64 { return m.perConn(collected) })
	all := []figure{
		{name: fmt.Sprintf("memory of a client in a process of %s", benchdoc.Grouped(r.Effort.Conns)), wanted: 512, atMost: true, got: perConn, unit: " B",
			why: "Four fifths are the client itself, in a slab; the resume token that WELCOME gave it, its id and the wheel's entry come on top."},
		{name: "a plain Go client takes", wanted: 10, got: r.lighter(), decimals: 1, unit: "x",
			why: fmt.Sprintf("Its goroutine's stack, its buffer and its net.Conn are %.0f B.", r.perConn("plain", collected).median)},
		{name: "connects, of a bare loop's", wanted: 80, got: r.faster("swarm", "bare"), unit: " %", why: r.whySlow("swarm", "dressed", "bare")},
		{name: "with the handshake", wanted: 55, got: r.faster("swarm hello", "bare hello"), unit: " %", why: r.whySlow("swarm hello", "dressed hello", "bare hello")},
		{name: fmt.Sprintf("lateness p99 at %s PINGs a second", benchdoc.Grouped(int(r.Effort.Pings))), wanted: 5, atMost: true,
			got: spreadOf(r.Late, func(o outcome) float64 { return o.LateP99 }), decimals: 2, unit: " ms",
			why: "The node and the clients share the cores; who waits for one is late."},
	}
	if res != nil {
		all = append(all, figure{name: "`make million`, teardown apart", wanted: 360, atMost: true,
			got: spread{res.WallS, res.WallS, res.WallS}, unit: " s", why: "Most of it is the ramp, then the hold."})
	}
	return all
}

func (r *results) perConn(kind string, bytes func(outcome) int64) spread {
	return spreadOf(r.Memory[kind], func(m memory) float64 { return m.perConn(bytes) })
}

// lighter is how many times the memory of the swarm a plain client takes, repeat by repeat.
func (r *results) lighter() spread {
	plain := r.Memory["plain"]
	i := -1
	return spreadOf(r.Memory["swarm"], func(m memory) float64 {
		i++
		return ratio(plain[i].perConn(collected), m.perConn(collected))
	})
}

// faster is the rate of one way of connecting in percent of another's, round by round: what
// disturbs the machine in a round disturbs both.
func (r *results) faster(way, than string) spread {
	i := -1
	return spreadOf(r.Connects[way], func(o outcome) float64 {
		i++
		return 100 * ratio(o.ConnectsPerS, r.Connects[than][i].ConnectsPerS)
	})
}

func (r *results) whySlow(way, dressed, bare string) string {
	var b strings.Builder
	if refused := spreadOf(r.Connects[way], func(o outcome) float64 { return float64(o.Refused) }); refused.median > 0 {
		fmt.Fprintf(&b, "All clients are due at once, and the swarm begins every connect that is due before it reads: %.0f attempts had said nothing when the node had too many such, were sent away, and came again later. ", refused.median)
	}
	fmt.Fprintf(&b, "With the swarm's system calls the bare loop itself reaches %.0f %%.", r.faster(dressed, bare).median)
	return b.String()
}

// ratio is 0 where few clients, as in a trial, took no page more.
func ratio(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return a / b
}
