package overload

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// results are such that each storm meets its targets, but for the last.
func results() (all []*result.Result) {
	for i := range storms {
		n := storms[i].conns
		s := &result.Storm{Clients: n, Back: n, OutageS: new(15.0), IdealS: new(20.0), DrainS: new(2.5), T50S: new(17.0), T99S: new(20.0), T100S: new(20.5),
			AttemptsPerSuccess: new(1.1), GoodputPerS: &result.Goodput{Best: float64(n) / 18, Median: float64(n) / 20}, LongestGapS: new(0.0)}
		r := &result.Result{Schema: result.Schema, Storm: s, Probes: &result.Probes{Clients: 10}}
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
	t.Setenv("STORMWHEEL_SLOW", "1")
	k := kit.New(kit.Place{Out: t.TempDir()}, Section, kit.Effort{Name: "full"}, "make bench-overload")
	all := results()
	for i, s := range Section.Steps(k) {
		k.Add(s, nil)
		text, err := json.Marshal(all[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(k.File(s)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(k.File(s), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := kit.PageOf(Section, k)
	if err != nil {
		t.Fatal(err)
	}
	text := p.String()
	for _, s := range storms {
		if strings.Count(text, "| "+s.name+" |") < 4 || !strings.Contains(text, s.play(1).String()+"\n") {
			t.Errorf("%s: no command, no row, or too few targets:\n%s", s.name, text)
		}
	}
	if n := strings.Count(text, "**missed**"); n != 1 || !strings.Contains(text, "| at most 5.50 (1.1 x N/C) | never | 1 | **missed** never reached |") {
		t.Errorf("%d targets are missed, want the one that nobody reached:\n%s", n, text)
	}
	if !strings.Contains(text, "Not valid: it was late.") || !strings.Contains(text, "| 2 | 5 | 5.50 | 5 |") || !strings.Contains(text, "at least 0.80 | 0.90 | 1 | reached") {
		t.Errorf("times count from the moment a node could accept:\n%s", text)
	}
}

func TestFewerClientsFindFewerPlaces(t *testing.T) {
	for i := range storms {
		args := storms[i].play(10).String()
		if strings.Contains(args, "%") || strings.Contains(args, "max-conns") && !strings.Contains(args, "max-conns=600 ") {
			t.Errorf("%s: %s", storms[i].name, args)
		}
	}
}
