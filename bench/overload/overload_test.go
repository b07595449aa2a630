package main

import (
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

// results are such that each storm meets its targets, but for the last.
func results() (all []*result.Result) {
	for i := range storms {
		n := storms[i].conns
		s := &result.Storm{Clients: n, Back: n, OutageS: new(15.0), IdealS: new(20.0), DrainS: new(2.5), T50S: new(17.0), T99S: new(20.0), T100S: new(20.5),
			AttemptsPerSuccess: new(1.1), GoodputPerS: &result.Goodput{Best: float64(n) / 18, Median: float64(n) / 20}, LongestGapS: new(0.0)}
		r := &result.Result{Storm: s, Probes: &result.Probes{Clients: 10}}
		if r.Conns.Target = n; strings.HasPrefix(storms[i].file, "grey") {
			s.Clients = 0
		}
		all = append(all, r)
	}
	last := all[len(all)-1]
	last.Storm.T100S, last.Generator.WhyInvalid = nil, new("it was late")
	return all
}

func TestTheSectionHasEveryStormItsCommandAndItsTargets(t *testing.T) {
	text := section(1, results(), "here, today")
	for _, s := range storms {
		if strings.Count(text, "| "+s.name+" |") < 4 || !strings.Contains(text, "stormwheel "+strings.Join(s.args(1), " ")+"\n") {
			t.Errorf("%s: no command, no row, or too few targets:\n%s", s.name, text)
		}
	}
	if n := strings.Count(text, "**missed**"); n != 1 || !strings.Contains(text, "| 5.5 (1.1 x N/C) | never | **missed** |") {
		t.Errorf("%d targets are missed, want the one that nobody reached:\n%s", n, text)
	}
	if !strings.Contains(text, "Not valid: it was late.") || !strings.Contains(text, "| 2 | 5 | 5.5 | 5 |") || !strings.Contains(text, "at least 0.8 | 0.9 | met") {
		t.Errorf("times count from the moment a node could accept:\n%s", text)
	}
}

func TestFewerClientsFindFewerPlaces(t *testing.T) {
	for i := range storms {
		args := strings.Join(storms[i].args(10), " ")
		if strings.Contains(args, "%") || strings.Contains(args, "max-conns") && !strings.Contains(args, "max-conns=600 ") {
			t.Errorf("%s: %s", storms[i].name, args)
		}
	}
}
