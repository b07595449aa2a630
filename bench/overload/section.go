package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// section is the text of the page.
func section(share int, results []*result.Result, where string) string {
	var b strings.Builder
	b.WriteString("## Overload\n\n`make bench-overload`, that is:\n\n```sh\n")
	for _, s := range storms {
		fmt.Fprintf(&b, "stormwheel %s\n", strings.Join(s.args(share), " "))
	}
	fmt.Fprintf(&b, "```\n\n%s\n\nNodes and load test share this machine; one run each. Times count from the moment a node could accept. N/C is what the clients take at the admission rate of the nodes, goodput the clients that came into service in a second; seconds count while a twentieth of the clients are out (docs/BENCH.md, goodput).\n\n", where)
	b.WriteString("| storm | clients | t50, s | t99, s | t100, s | N/C, s | attempts each | goodput, best / median | longest gap, s | left alone: lost, rtt p99 |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i, r := range results {
		row(&b, &storms[i], r)
	}
	b.WriteString("\n| storm | target | at most | it is | |\n|---|---|---|---|---|\n")
	for i, r := range results {
		for _, t := range storms[i].targets(r.Storm, r) {
			targetRow(&b, storms[i].name, &t)
		}
	}
	b.WriteString("\n")
	for i, r := range results {
		fmt.Fprintf(&b, "- **%s**: %s.", storms[i].name, storms[i].about)
		if d := r.Storm.DrainS; d != nil {
			fmt.Fprintf(&b, " The node ended after %s s, and was back after %s.", figure(d, 1), figure(r.Storm.OutageS, 1))
		}
		if why := r.Generator.WhyInvalid; why != nil {
			fmt.Fprintf(&b, " Not valid: %s.", *why)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func row(b *strings.Builder, one *storm, r *result.Result) {
	s := r.Storm
	goodput, alone := "none", "nobody"
	if g := s.GoodputPerS; g != nil {
		goodput = fmt.Sprintf("%.0f / %.0f", g.Best, g.Median)
	}
	if p := r.Probes; p != nil {
		alone = strconv.Itoa(p.Lost)
		if p.RTTms.During != nil {
			alone += fmt.Sprintf(", %.0f ms", p.RTTms.During.P99)
		}
	}
	fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", one.name, s.Clients, figure(since(s, s.T50S), 1), figure(since(s, s.T99S), 1),
		figure(since(s, s.T100S), 1), figure(since(s, s.IdealS), 2), figure(s.AttemptsPerSuccess, 2), goodput, figure(s.LongestGapS, 1), alone)
}

func targetRow(b *strings.Builder, name string, t *target) {
	verdict, limit := "**missed**", figure(&t.limit, 2)
	if t.met() {
		verdict = "met"
	}
	if t.least {
		limit = "at least " + limit
	}
	if t.because != "" {
		limit += " (" + t.because + ")"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, t.what, limit, figure(t.got, 2), verdict)
}

// figure has so many decimals, and none if they are all 0; nobody ever got there: never.
func figure(v *float64, decimals int) string {
	if v == nil {
		return "never"
	}
	text := strconv.FormatFloat(*v, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
