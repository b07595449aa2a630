// Package overload runs storms beyond what nodes can take, and after which nobody is left for
// a while, and holds each against its targets.
package overload

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// Section is the part of BENCHMARKS.md about overload.
var Section = kit.Section{Name: "overload", Title: "Overload",
	Code:  []string{"bench", "client", "cmd", "codec", "internal", "server", "timingwheel"},
	Steps: func(k *kit.Kept) []kit.Step { return kit.Plays(plays(k)) },
	Measure: func(ctx context.Context, k *kit.Kept, r *kit.Record) error {
		return k.Play(ctx, r, plays(k), 1)
	},
	Write: write}

// share is by how many times fewer the clients are.
var share = map[string]int{"tiny": 50, "short": 10, "full": 1}

func plays(k *kit.Kept) (all []kit.Play) {
	for _, s := range storms {
		if s.slow && os.Getenv("STORMWHEEL_SLOW") == "" {
			continue // ten minutes of waiting
		}
		if k.Effort.Name != "tiny" || s.file == quick {
			all = append(all, s.play(share[k.Effort.Name]))
		}
	}
	return all
}

func write(p *kit.Page, k *kit.Kept) error {
	var commands, said []string
	var rows [][]string
	var targets []kit.Target
	for _, s := range storms {
		play := s.play(share[k.Effort.Name])
		results, err := k.Results(play.Step)
		if err != nil {
			return err
		}
		for _, res := range results {
			if res.Storm == nil {
				return fmt.Errorf("%s: it is of no storm", s.file)
			}
			commands, said, rows = append(commands, play.String()), append(said, s.said(res)), append(rows, s.row(res))
			for _, t := range s.targets(res.Storm, res) {
				t.What = s.name + " | " + t.What
				targets = append(targets, t)
			}
		}
	}
	p.Shell(commands...)
	p.WriteString("Nodes and load test share this machine; one run each. Times count from the moment a node could accept. N/C is what the clients take at the admission rate of the nodes, goodput the clients that came into service in a second; seconds count while a twentieth of the clients are out (docs/BENCH.md, goodput).\n\n")
	p.Table([]string{"storm", "clients", "t50, s", "t99, s", "t100, s", "N/C, s", "attempts each", "goodput, best / median", "longest gap, s", "left alone: lost, rtt p99"}, rows)
	p.Targets("storm | target", targets)
	p.WriteString(strings.Join(said, ""))
	return nil
}

// said is what the run was, in a line.
func (s storm) said(res *result.Result) string {
	text := "- **" + s.name + "**: " + s.about + "."
	if d := res.Storm.DrainS; d != nil {
		text += fmt.Sprintf(" The node ended after %s s, and was back after %s.", kit.Seen(d), kit.Seen(res.Storm.OutageS))
	}
	if why := res.Generator.WhyInvalid; why != nil {
		text += " Not valid: " + *why + "."
	}
	return text + "\n"
}

func (s storm) row(res *result.Result) []string {
	came := res.Storm
	goodput, alone := "none", "nobody"
	if g := came.GoodputPerS; g != nil {
		goodput = kit.Number(g.Best) + " / " + kit.Number(g.Median)
	}
	if p := res.Probes; p != nil {
		alone = kit.Count(p.Lost)
		if p.RTTms.During != nil {
			alone += fmt.Sprintf(", %.0f ms", p.RTTms.During.P99)
		}
	}
	row := []string{s.name, kit.Count(came.Clients)}
	for _, v := range []*float64{since(came, came.T50S), since(came, came.T99S), since(came, came.T100S), since(came, came.IdealS), came.AttemptsPerSuccess} {
		row = append(row, kit.Seen(v).String())
	}
	return append(row, goodput, kit.Seen(came.LongestGapS).String(), alone)
}
