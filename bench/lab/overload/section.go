// Package overload runs storms beyond what nodes can take, and after which nobody is left for
// a while, and holds each against its targets.
package overload

import (
	"context"
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// Section is the part of BENCHMARKS.md about overload.
var Section = kit.Section{Name: "overload", About: "storms above what nodes can take, and with nobody left",
	Code:  []string{"bench", "client", "cmd", "codec", "internal", "server", "timingwheel"},
	Steps: steps, Measure: measure, Write: write}

// share is by how many times fewer the clients are.
func share(k *kit.Kept) int { return map[string]int{"tiny": 50, "short": 10, "full": 1}[k.Effort.Name] }

// quick is the storm of a trial.
const quick = "crash-1s"

func steps(k *kit.Kept) []kit.Step {
	var names []string
	for _, s := range storms {
		if k.Effort.Name != "tiny" || s.file == quick {
			names = append(names, s.file)
		}
	}
	return kit.Turns(1, kit.Step{Workload: "storm"}, names, nil)
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	for _, s := range storms {
		if s.file == r.Subject {
			return k.Stormwheel(ctx, r, 1, s.args(share(k))...)
		}
	}
	return fmt.Errorf("no storm %q", r.Subject)
}

// run is a storm with its result.
type run struct {
	*storm
	res *result.Result
}

func write(p *kit.Page, k *kit.Kept) error {
	var runs []run
	for i := range storms {
		results, err := k.Results(kit.Step{Workload: "storm", Subject: storms[i].file})
		if err != nil {
			return err
		}
		for _, res := range results {
			if res.Storm == nil {
				return fmt.Errorf("%s: it is of no storm", storms[i].file)
			}
			runs = append(runs, run{&storms[i], res})
		}
	}
	p.Printf("## Overload\n\n`%s`, that is:\n\n```sh\n", k.Command)
	for _, r := range runs {
		p.Printf("stormwheel %s\n", strings.Join(r.args(share(k)), " "))
	}
	p.Printf("```\n\n%s\n\nNodes and load test share this machine; one run each. Times count from the moment a node could accept. N/C is what the clients take at the admission rate of the nodes, goodput the clients that came into service in a second; seconds count while a twentieth of the clients are out (docs/BENCH.md, goodput).\n\n", k.Where)
	var rows [][]string
	var targets []kit.Target
	for _, r := range runs {
		rows = append(rows, r.row())
		for _, t := range r.targets(r.res.Storm, r.res) {
			t.What = r.name + " | " + t.What
			targets = append(targets, t)
		}
	}
	p.Table([]string{"storm", "clients", "t50, s", "t99, s", "t100, s", "N/C, s", "attempts each", "goodput, best / median", "longest gap, s", "left alone: lost, rtt p99"}, rows)
	p.Targets("storm | target", targets)
	for _, r := range runs {
		p.Printf("- **%s**: %s.", r.name, r.about)
		if d := r.res.Storm.DrainS; d != nil {
			p.Printf(" The node ended after %s s, and was back after %s.", seen(d), seen(r.res.Storm.OutageS))
		}
		if why := r.res.Generator.WhyInvalid; why != nil {
			p.Printf(" Not valid: %s.", *why)
		}
		p.WriteString("\n")
	}
	return nil
}

func (r run) row() []string {
	s := r.res.Storm
	goodput, alone := "none", "nobody"
	if g := s.GoodputPerS; g != nil {
		goodput = kit.Number(g.Best) + " / " + kit.Number(g.Median)
	}
	if p := r.res.Probes; p != nil {
		alone = kit.Count(p.Lost)
		if p.RTTms.During != nil {
			alone += fmt.Sprintf(", %.0f ms", p.RTTms.During.P99)
		}
	}
	row := []string{r.name, kit.Count(s.Clients)}
	for _, v := range []*float64{since(s, s.T50S), since(s, s.T99S), since(s, s.T100S), since(s, s.IdealS), s.AttemptsPerSuccess} {
		row = append(row, seen(v).String())
	}
	return append(row, goodput, seen(s.LongestGapS).String(), alone)
}
