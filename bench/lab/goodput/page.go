package goodput

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// spoken is a duty in words.
func spoken(duty string) string { return strings.Replace(duty, "/", " and stands still for ", 1) }

func graph(e effort) kit.Graph {
	slowest := e.duties[len(e.duties)-1]
	g := kit.Graph{Title: "Goodput of an overloaded node", Note: "each node runs for " + spoken(slowest.name) + ", in turn",
		X: "clients a second that come, logarithmic", Y: "clients a second that get in, logarithmic", Name: "goodput", Over: "rate"}
	for _, kind := range kinds {
		g.Rows = append(g.Rows, kit.Row{Subject: kind, Label: peers.Label(kind)})
	}
	for _, times := range slowest.times[1:] { // the first has no rate
		g.Steps = append(g.Steps, kit.Step{Workload: slowest.name, Rate: times})
	}
	return g
}

func write(p *kit.Page, k *kit.Kept) error {
	e := efforts[k.Effort.Name]
	version := ""
	for _, text := range k.Notes[peers.Mosquitto] {
		version = text + " "
	}
	p.Printf(`Servers that run always, or for a part of the time only (SIGSTOP, SIGCONT), are offered multiples of what each
can take, which is measured with %d clients that come at once. A tenth of the clients are in before.
The others come at an even rate for %v (at most %d of them, no more than the server takes in two thirds of the time, and as
fast as this machine can), and again until they are in, or until %v after the last has come. All are the clients of package client, whose patience grows; the peers
tell neither slots nor a reconnect window. Mosquitto %sis a broker with one thread, to which they speak MQTT 3.1.1: CONNECT, and CONNACK is their
WELCOME. "Blind" is a node that does not measure what it can do. Goodput is those who got in, by the time
that it took; the best is that of all offers to the same server. One run each; nodes and clients share this machine.

`, fewClients, e.offered, e.most, e.giveUp, version)
	var rows [][]string
	for _, d := range e.duties {
		for _, kind := range kinds {
			best := best(k, d, kind)
			for _, times := range d.times {
				if at := (kit.Step{Workload: d.name, Subject: kind, Rate: times}); k.Tried(at) {
					rows = append(rows, append([]string{d.name, peers.Label(kind)}, cells(k, at, best)...))
				}
			}
		}
	}
	p.Table([]string{"runs / stands still", "server", "offered, a second", "clients", "in", "after, s", "goodput, a second", "of its best",
		"longest time with nobody, s", "attempts each", "lost of those in before"}, rows)
	for _, line := range k.Notes[absent] {
		p.Printf("Left out: %s.\n\n", line)
	}
	p.Targets("goal", targets(k, e))
	p.Picture("goodput.svg", "goodput against offered load", graph(e).SVG(k))
	writeGrey(p, k)
	writeRefusals(p, k)
	return nil
}

// best is the largest goodput of a server, whatever it was offered.
func best(k *kit.Kept, d duty, kind string) (most float64) {
	for _, times := range d.times {
		most = max(most, k.Sample(kit.Step{Workload: d.name, Subject: kind, Rate: times}, "goodput").Median)
	}
	return most
}

// targets are about ours at the most that it was offered: a plateau and no cliff, and no less than the floor.
func targets(k *kit.Kept, e effort) (all []kit.Target) {
	for _, d := range e.duties {
		at := kit.Step{Workload: d.name, Subject: peers.Ours, Rate: slices.Max(d.times)}
		ours, floor := best(k, d, peers.Ours), best(k, d, peers.Floor)
		if k.Rounds(at) == 0 || d.name == always || floor == 0 {
			continue
		}
		got, over := k.Sample(at, "goodput"), k.Sample(at, "over_s")
		name := fmt.Sprintf("%s, at %g x", d.name, at.Rate)
		all = append(all,
			kit.Target{What: name + ": goodput by its best", AtLeast: new(0.8), Unit: "x", Of: got.Times(1 / ours)},
			kit.Target{What: name + ": goodput by bare gnet's best", AtLeast: new(0.8), Unit: "x", Of: got.Times(1 / floor)},
			kit.Target{What: name + ": time until all are in, by clients / its best", AtMost: new(1.3), Unit: "x",
				Of: over.Times(ours / k.Sample(at, "clients").Median)})
	}
	return all
}

// cells are the figures of one offer.
func cells(k *kit.Kept, at kit.Step, best float64) []string {
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
	return []string{rate, fmt.Sprintf("%.0f", get("clients")), fmt.Sprintf("%.0f", get("back")), fmt.Sprintf("%.1f", get("over_s")),
		fmt.Sprintf("%.0f", get("goodput")), fmt.Sprintf("%.2f", get("goodput")/best), maybe("gap_s"), maybe("attempts"), fmt.Sprintf("%.0f", get("lost"))}
}
