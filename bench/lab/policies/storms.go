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
var Section = kit.Section{Name: "storm-lab", About: "a storm for each policy of reconnecting",
	Code:  []string{"bench", "cmd", "codec", "internal", "server", "timingwheel"},
	Steps: steps, Measure: measure, Write: write}

// policies begin with ours; ratios are to it.
var policies = []string{"window", "full", "equal", "decorrelated", "fixed", "exponential"}

// storm is the same for each: half of the clients lose their node, and wait in front of
// one that admits 125 a second.
func storm(effort string) []string {
	conns, heartbeat, timeout := "1000", "2s", "5s"
	if effort == "tiny" {
		conns, heartbeat, timeout = "100", "500ms", "2s"
	}
	return []string{"bench", "storm", "--kind", "kill", "--spawn", "2", "--conns", conns, "--heartbeat", heartbeat, "--timeout", timeout,
		"--node-arg", "admit-rate=125", "--recovery-timeout", "40s", "--seed", "1"}
}

func steps(k *kit.Kept) []kit.Step {
	if k.Effort.Name == "tiny" {
		return kit.Turns(1, kit.Step{Workload: "kill"}, policies[:2], nil)
	}
	return kit.Turns(1, kit.Step{Workload: "kill"}, policies, nil)
}

// tries is how often a storm is repeated while the generator is too late for its figures to
// count.
const tries = 3

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	return k.Stormwheel(ctx, r, tries, append(storm(k.Effort.Name), "--policy", r.Subject)...)
}

func write(p *kit.Page, k *kit.Kept) error {
	var runs []report.Run
	for _, policy := range policies {
		results, err := k.Results(kit.Step{Workload: "kill", Subject: policy})
		if err != nil {
			return err
		}
		for _, res := range results {
			runs = append(runs, report.Run{Name: policy, Result: res})
		}
	}
	if len(runs) == 0 {
		return errors.New("no storm has a result")
	}
	p.Printf("## Storms: policies of reconnecting\n\n`%s`, that is, with each policy:\n\n```sh\nstormwheel %s --policy POLICY\n```\n\n%s\n\n",
		k.Command, strings.Join(storm(k.Effort.Name), " "), k.Where)
	if s := runs[0].Result.Storm; s != nil && s.IdealS != nil {
		p.Printf("A node of %d clients is killed (t0 is the SIGKILL); the other admits what would take %.2f s, the ideal. It keeps half a second's worth of unused slots, so that clients that come at once, as they do without a window, can be faster by that. ", s.Clients, *s.IdealS)
	}
	p.Printf("In brackets: the ratio to %s. A verdict is of the promises of `storm` (docs/BENCH.md). One run each: small differences are chance.\n\n%s\n",
		runs[0].Name, report.Markdown(runs...))
	p.Picture("storm-lab.svg", "The way back and the attempts, by policy", report.Storms(runs...))
	if invalid := invalid(runs); invalid != "" {
		p.Printf("\nThe generator was too late for the figures of %s to count.\n", invalid)
	}
	return nil
}

func invalid(runs []report.Run) string {
	var names []string
	for _, r := range runs {
		if r.Result.Verdict == result.Invalid {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ", ")
}
