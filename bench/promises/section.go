package main

import (
	"fmt"
	"strings"
)

// section is the text of the page.
func section(s size, where string, silence, storm, drain outcome, g siege) string {
	var b strings.Builder
	fmt.Fprintf(&b, `## What a node promises under attack and fault

`+"`make bench-promises`"+`, that is:

`+"```sh\n%s\n%s\n%s\n%s\n```"+`

%s

Nodes, clients and load test share this machine. A figure is that of a run: the median [the
lowest - the highest]. A promise is reached when its worst run keeps it; round trips are
pooled over the runs, begin with the write of the PING, and may become twice as long, or 10 ms
longer.
`,
		s.silence().command(), s.killing().command(), s.draining().command(),
		strings.Join(append(g.env[:len(g.env):len(g.env)], quoted(g.goTest)...), " "), where)

	fmt.Fprintf(&b, "\n### %d clients fall silent at once beside %d that live\n\n", s.silent, s.live)
	table(&b, s.ofSilence(silence))
	late(&b, silence)
	fmt.Fprintf(&b, "\n### A node of %d clients is killed\n\n", s.hit)
	fmt.Fprintf(&b, "The other, which has %d, admits %d a second: ideally %.2f s.\n\n", s.spared, s.admit, s.ideal())
	table(&b, s.ofStorm(storm))
	late(&b, storm)
	fmt.Fprintf(&b, "\n### A node of %d clients is drained\n\n", s.moved)
	fmt.Fprintf(&b, "Its pace, and what the other admits, is %d a second.\n\n", s.pace)
	table(&b, s.ofDrain(drain))
	late(&b, drain)
	b.WriteString("\n### All adversaries at once\n\n")
	table(&b, g.figures())
	return b.String()
}

func late(b *strings.Builder, o outcome) {
	if n := o.late(); n > 0 {
		fmt.Fprintf(b, "\nThe load test itself was too late for the figures of %d of these runs to count.\n", n)
	}
}

// quoted is for a shell.
func quoted(words []string) []string {
	var all []string
	for _, w := range words {
		if strings.ContainsAny(w, "^$") {
			w = "'" + w + "'"
		}
		all = append(all, w)
	}
	return all
}
