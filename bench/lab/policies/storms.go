// Package storms kills a node once for each policy of reconnecting, against the same
// admission rate.
package policies

import (
	"context"
	"errors"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/report"
	"github.com/stormwheel/stormwheel/bench/result"
)

// Section is the part of BENCHMARKS.md about policies of reconnecting.
var Section = kit.Section{Name: "storm-lab", Title: "Storms: policies of reconnecting",
	Code:  []string{"bench", "cmd", "codec", "internal", "server", "timingwheel"},
	Steps: func(k *kit.Kept) []kit.Step { return kit.Plays(plays(k)) },
	Measure: func(ctx context.Context, k *kit.Kept, r *kit.Record) error {
		return k.Play(ctx, r, plays(k), tries)
	},
	Write: write}

// tries is how often a storm is repeated while the generator is too late for its figures to
// count.
const tries = 3

// plays are the same storm for each policy: half of the clients lose their node, and wait in
// front of one that admits 125 a second. They begin with our policy; ratios are to it.
func plays(k *kit.Kept) (all []kit.Play) {
	for _, policy := range []string{"window", "full", "equal", "decorrelated", "fixed", "exponential"} {
		all = append(all, kit.Play{Step: kit.Step{Workload: "kill", Subject: policy}, Args: storm(k, policy), Rounds: 1})
	}
	if k.Effort.Name == "tiny" {
		return all[:2]
	}
	return all
}

func storm(k *kit.Kept, policy string) []string {
	size := "--conns 1000 --heartbeat 2s --timeout 5s"
	if k.Effort.Name == "tiny" {
		size = "--conns 100 --heartbeat 500ms --timeout 2s --duration 500ms"
	}
	return strings.Fields("bench storm --kind kill --spawn 2 " + size + " --node-arg admit-rate=125 --recovery-timeout 40s --policy " + policy)
}

func write(p *kit.Page, k *kit.Kept) error {
	var runs []report.Run
	var late []string
	for _, play := range plays(k) {
		results, err := k.Results(play.Step)
		if err != nil {
			return err
		}
		for _, res := range results {
			runs = append(runs, report.Run{Name: play.Subject, Result: res})
			if res.Verdict == result.Invalid {
				late = append(late, play.Subject)
			}
		}
	}
	if len(runs) == 0 {
		return errors.New("no storm has a result")
	}
	p.Shell(kit.Play{Args: storm(k, "POLICY"), Rounds: 1}.String())
	if s := runs[0].Result.Storm; s != nil && s.IdealS != nil {
		p.Printf("A node of %d clients is killed (t0 is the SIGKILL); the other admits what would take %.2f s, the ideal. It keeps half a second's worth of unused slots, so that clients that come at once, as they do without a window, can be faster by that. ", s.Clients, *s.IdealS)
	}
	p.Printf("In brackets: the ratio to %s. A verdict is of the promises of `storm` (docs/BENCH.md). One run each: small differences are chance.\n\n%s\n",
		runs[0].Name, report.Markdown(runs...))
	p.Picture("storm-lab.svg", "The way back and the attempts, by policy", report.Storms(runs...))
	if len(late) > 0 {
		p.Printf("\nThe generator was too late for the figures of %s to count.\n", strings.Join(late, ", "))
	}
	return nil
}
