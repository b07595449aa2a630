package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// section is what BENCHMARKS.md says of the generator.
func section(r *results, millionFile, largerFile string) (string, error) {
	res, err := readMillion(millionFile)
	if err != nil {
		return "", err
	}
	larger, err := readMillion(largerFile)
	if err != nil {
		return "", err
	}
	e := r.Effort
	var b strings.Builder
	fmt.Fprintf(&b, "## The load generator itself\n\n`make bench-generator`. %s\n\n", r.Where)
	b.WriteString("Every process is started for one measurement; what is compared takes turns. A cell is a median and [lowest-highest]; ratios are taken pairwise, by repeat.\n\n")
	b.WriteString("| figure | wanted | got | |\n|---|---|---|---|\n")
	for _, f := range r.figures(res) {
		b.WriteString(f.row())
	}

	conns := benchdoc.Grouped(e.Conns)
	fmt.Fprintf(&b, "\n### Memory of a client\n\n%d repeats. User memory only: what the resident set of a process of %s clients that heartbeat every %v is larger than that of one of %d, by the clients that it has more. Each has connected, said HELLO, read WELCOME and had a PONG. \"Collected\" is after forced collections that gave the garbage back; the other is the process as it was before. A plain client is a `net.Conn` and a goroutine, which reads frames through a `bufio.Reader`, under a read deadline; a timer sends its PINGs.\n\n",
		e.Repeats, conns, e.Heartbeat, e.Few)
	fmt.Fprintf(&b, "| | collected, B | as it was, B | process of %s, MiB | of %d, MiB |\n|---|--:|--:|--:|--:|\n", conns, e.Few)
	for _, h := range holders {
		size := func(pick func(memory) outcome) spread {
			return spreadOf(r.Memory[h.kind], func(m memory) float64 { return float64(pick(m).Collected) / (1 << 20) })
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", h.label, cell(r.perConn(h.kind, collected), 0), cell(r.perConn(h.kind, asItWas), 0),
			cell(size(func(m memory) outcome { return m.Many }), 1), cell(size(func(m memory) outcome { return m.Few }), 1))
	}

	fmt.Fprintf(&b, "\n### Connects\n\n%d rounds of %s connections, all due at once, in one process and one thread that connects. A bare loop has %d of them in flight and makes socket, connect and one epoll_ctl for each; against bare gnet, which takes all and answers nothing. With the handshake it also writes HELLO and reads WELCOME; against a node whose admission holds nobody up.\n\n",
		e.Rounds, benchdoc.Grouped(e.Connects), inFlight)
	b.WriteString("| | connects, 1/s | attempts refused |\n|---|--:|--:|\n")
	for _, w := range ways {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", w.label, cell(spreadOf(r.Connects[w.name], func(o outcome) float64 { return o.ConnectsPerS }), 0),
			cell(spreadOf(r.Connects[w.name], func(o outcome) float64 { return float64(o.Refused) }), 0))
	}

	fmt.Fprintf(&b, "\n### Lateness\n\n%d repeats: %s clients of one process, a heartbeat of %v, one node, held for %v. Late is how long after its due time a timer ran; the wheel's tick and epoll's are a millisecond. The figure above is of the whole run, the ramp of %.0f connects a second included; a second of the hold has a p99 of its own, and that of the whole hold is no higher than the worst of those.\n\n",
		e.Repeats, conns, e.beat(), e.Hold, e.Ramp)
	b.WriteString("| PINGs, 1/s | p99 of the run, ms | p99 of a second of the hold, ms | worst second's, ms | max of the run, ms |\n|--:|--:|--:|--:|--:|\n")
	fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n\n", cell(spreadOf(r.Late, func(o outcome) float64 { return o.PingsPerS }), 0),
		cell(spreadOf(r.Late, func(o outcome) float64 { return o.LateP99 }), 2),
		cell(spreadOf(r.Late, func(o outcome) float64 { return median(o.LateSeconds) }), 2), cell(spreadOf(r.Late, worst), 2),
		cell(spreadOf(r.Late, func(o outcome) float64 { return o.LateMax }), 1))
	b.WriteString("### A million connections\n\n")
	if res == nil {
		b.WriteString("Not measured: `make million`, then `go run ./bench/generator report`, writes its figures here.\n")
	} else {
		b.WriteString("`make million` " + million(res))
	}
	if larger != nil {
		b.WriteString("\n### A million connections on a larger machine\n\nThe command of `make million`, but for its rate of connects, " + million(larger))
	}
	return b.String(), nil
}

// cell is a figure of a table with so many decimals.
func cell(s spread, decimals int) string {
	return fmt.Sprintf("%s [%s-%s]", number(s.median, decimals), number(s.low, decimals), number(s.high, decimals))
}

func number(v float64, decimals int) string {
	if decimals == 0 {
		return benchdoc.Grouped(int(math.Round(v)))
	}
	return fmt.Sprintf("%.*f", decimals, v)
}
