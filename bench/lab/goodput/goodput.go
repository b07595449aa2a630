// Package goodput offers servers more clients than they can take, and counts who gets in.
package goodput

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// Section is the part of BENCHMARKS.md about goodput.
var Section = kit.Section{Name: "goodput", Title: "Goodput against offered load",
	Code:  []string{"bench", "client", "server", "codec", "internal", "timingwheel"},
	Steps: steps, Measure: measure, Write: write}

// What a server can take is measured first: a few clients, fewer than any queue holds, come at
// once. Then clients come at multiples of that, over and over again until they are in, as
// clients do.
const (
	fewClients = 600
	manyIn     = 0.1 // of the clients are in before
)

type effort struct {
	most    int           // clients; a process has 20,000 descriptors
	offered time.Duration // that they come for
	giveUp  time.Duration // after the last has come
	duties  []string      // what the server runs, and stands still
	times   []float64     // of what it can take; the first, 0, is when that is measured
}

var (
	full = effort{most: 14_000, offered: 5 * time.Second, giveUp: 30 * time.Second,
		duties: []string{"1ms/9ms", "1ms/99ms"}, times: []float64{0, 0.1, 0.5, 1, 2, 5, 10}}
	efforts = map[string]effort{"full": full,
		"short": {most: 14_000, offered: 5 * time.Second, giveUp: 30 * time.Second, duties: full.duties[1:], times: []float64{0, 0.5, 1, 2, 5}},
		"tiny":  {most: 1000, offered: time.Second, giveUp: 5 * time.Second, duties: full.duties[1:], times: []float64{0, 1}}}
)

var kinds = []string{"stormwheel", "gnet", "go-net", "nbio"} // a trial has the first two

// steps are offers to all kinds in turn, so that what the machine does meanwhile hits all of
// them. The workload is the duty, the rate a multiple of what the server can take.
func steps(k *kit.Kept) []kit.Step {
	e, takes := efforts[k.Effort.Name], kinds
	if k.Effort.Name == "tiny" {
		takes = kinds[:2]
	}
	var all []kit.Step
	for _, duty := range e.duties {
		for _, times := range e.times {
			all = append(all, kit.Turns(1, kit.Step{Workload: duty, Rate: times}, takes, nil)...)
		}
	}
	return all
}

// measure runs one flood. It ends when all are in: a heartbeat more would tell nothing.
func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	e := efforts[k.Effort.Name]
	clients, rate := fewClients, 1e5
	if r.Rate > 0 {
		can := k.Sample(kit.Step{Workload: r.Workload, Subject: r.Subject}, "goodput").Median
		if can == 0 {
			return errors.New("nobody knows what it can take")
		}
		rate = r.Rate * can
		clients = min(max(int(rate*e.offered.Seconds()), fewClients/2), e.most)
	}
	cfg := scenario.Config{Scenario: "storm", Kind: "flood", Spawn: 1, Fraction: manyIn, Slow: r.Workload,
		NodeCommand: []string{program, "serve", r.Subject},
		Conns:       int(float64(clients)/(1-manyIn) + 0.5), Rate: rate, Duration: time.Second, RecoveryTimeout: e.giveUp,
		Heartbeat: 30 * time.Second, Timeout: 75 * time.Second, Seed: 1}
	if r.Subject == peers.Ours {
		cfg.NodeArgs = []string{"admit-rate=" + node.Admitted}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	res, err := bench.Run(ctx, cfg, bench.View{Watch: func(u bench.Update) {
		if s := u.Status; s != nil && s.Recovery != nil && s.Recovery.T100 != nil {
			cancel()
		}
	}})
	if res == nil || res.Storm == nil {
		return errors.Join(errors.New("no result"), err)
	}
	s := res.Storm
	over := float64(s.Clients)/rate + e.giveUp.Seconds()
	if s.T100S != nil {
		over = *s.T100S
	}
	r.Figures = map[string]float64{"rate": rate, "clients": float64(s.Clients), "back": float64(s.Back), "over_s": over,
		"goodput": float64(s.Back) / over, "lost": 0}
	r.Set("gap_s", s.LongestGapS)
	r.Set("attempts", s.AttemptsPerSuccess)
	if res.Probes != nil {
		r.Figures["lost"] = float64(res.Probes.Lost)
	}
	return nil
}

func graph(e effort) kit.Graph {
	slowest := e.duties[len(e.duties)-1]
	g := kit.Graph{Title: "Goodput of an overloaded node", Note: "each node runs for " + strings.Replace(slowest, "/", " and stands still for ", 1) + ", in turn",
		X: "clients a second that come, logarithmic", Y: "clients a second that get in, logarithmic", Name: "goodput", Over: "rate"}
	for _, kind := range kinds {
		g.Rows = append(g.Rows, kit.Row{Subject: kind, Label: peers.Label(kind)})
	}
	for _, times := range e.times[1:] { // the first has no rate
		g.Steps = append(g.Steps, kit.Step{Workload: slowest, Rate: times})
	}
	return g
}

func write(p *kit.Page, k *kit.Kept) error {
	e := efforts[k.Effort.Name]
	p.Printf(`Servers that run for a part of the time only (SIGSTOP, SIGCONT) are offered multiples of what each
can take, which is measured with %d clients that come at once. A tenth of the clients are in before.
The others come at an even rate for %v (at most %d of them), and again until they are in, or until
%v after the last has come. All are the clients of package client, whose patience grows; the peers
tell neither slots nor a reconnect window. Goodput is those who got in, by the time that it took. One
run each; nodes and clients share this machine.

`, fewClients, e.offered, e.most, e.giveUp)
	var rows [][]string
	for _, duty := range e.duties {
		for _, kind := range kinds {
			for _, times := range e.times {
				if at := (kit.Step{Workload: duty, Subject: kind, Rate: times}); k.Tried(at) {
					rows = append(rows, append([]string{duty, peers.Label(kind)}, cells(k, at)...))
				}
			}
		}
	}
	p.Table([]string{"runs / stands still", "server", "offered, a second", "clients", "in", "after, s", "goodput, a second", "of what it can",
		"longest time with nobody, s", "attempts each", "lost of those in before"}, rows)
	p.Picture("goodput.svg", "goodput against offered load", graph(e).SVG(k))
	return nil
}

// cells are the figures of one offer.
func cells(k *kit.Kept, at kit.Step) []string {
	if k.Rounds(at) == 0 {
		return append([]string{"failed: " + k.Problem(at)}, make([]string, 8)...)
	}
	get := func(name string) float64 { return k.Sample(at, name).Median }
	maybe := func(name string) string {
		if k.Sample(at, name).N == 0 {
			return "none"
		}
		return fmt.Sprintf("%.1f", get(name))
	}
	rate := "at once"
	if at.Rate > 0 {
		rate = fmt.Sprintf("%.0f (%g x)", get("rate"), at.Rate)
	}
	can := k.Sample(kit.Step{Workload: at.Workload, Subject: at.Subject}, "goodput").Median
	return []string{rate, fmt.Sprintf("%.0f", get("clients")), fmt.Sprintf("%.0f", get("back")), fmt.Sprintf("%.1f", get("over_s")),
		fmt.Sprintf("%.0f", get("goodput")), fmt.Sprintf("%.2f", get("goodput")/can), maybe("gap_s"), maybe("attempts"), fmt.Sprintf("%.0f", get("lost"))}
}
