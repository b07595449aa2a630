package fanout

import (
	"fmt"
	"slices"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// What is to be reached.
const (
	leastSingle = 0.9       // of bare writes
	leastTen    = 1_500_000 // messages a second of a core's time
	mostRTT     = 2         // of an idle node's
	mostTurn    = 1.1       // ms, flood.MostTurn
)

func write(p *kit.Page, k *kit.Kept) error {
	p.Printf(`All members of a group get the same %d bytes. Stormwheel has one event loop, and one goroutine that calls
Server.Publish. Beside it is a loop of bare gnet that writes the same frames to the same connections for
%v at a time, ten in one Write where ten wait, and serves its sockets in between; a hub over gws v1.8.9 (a
Broadcaster, a goroutine for each connection); and a node of centrifuge v0.40.1 with its engine in
memory and its protobuf protocol. These two speak WebSocket and use as many processors as there are.
The members are in another process, which reads once in %v all that has come, and says when all have it: only
then is the next published. Messages a second are those to all members together, by the clock, and by the processor time
of the server's process. The servers and the clients go before what else this machine does, and share it. A turn is measured by the processor time of its
thread, and by the clock: what that has more, the thread had no processor. The kernel takes packets in and ends timers on that time, too, the clients' among them; a turn
of bare gnet is its %v of writing, which has that as well. goim is not measured here; its docs/benchmark_en.md says 35.9 million messages of 10 bytes a second to
1,000,000 connections with 20 to 23 cores of a Xeon E5-2630 v2, which are 1.6 to 1.8 million a core.

`, bodySize, flood.Stint, flood.ReadEvery, flood.Stint)
	e := effortOf(k.Effort)
	columns := []kit.Column{{Title: "messages a second", Name: "messages", Spread: true}, {Title: "a second of a core's time", Name: "messages_core", Spread: true},
		{Title: "cores", Name: "busy"}}
	turns := []kit.Column{{Title: "longest turn by processor time, ms", Name: "turn_cpu_ms", Spread: true}, {Title: "of 1,000 above " + kit.Number(mostTurn), Name: "turn_over"},
		{Title: "by the clock, ms", Name: "turn_ms", Spread: true}, {Title: "load of the machine before", Name: "load", Spread: true}}
	rows := []kit.Row{{Subject: ours, Label: "Stormwheel"}, {Subject: floor, Label: "bare gnet writes"},
		{Subject: hubGWS, Label: "hub over gws"}, {Subject: hubOthers, Label: "centrifuge"}}
	for _, w := range workloads {
		if w.beat {
			columns = []kit.Column{{Title: "PONG p50 without, ms", Name: "idle_rtt_p50_ms", Spread: true}, {Title: "with, ms", Name: "rtt_p50_ms", Spread: true},
				{Title: "p99 without, ms", Name: "idle_rtt_p99_ms", Spread: true}, {Title: "with, ms", Name: "rtt_p99_ms", Spread: true},
				{Title: "messages a second", Name: "messages", Spread: true}}
		}
		p.Printf("### %s members: %s\n\n", w.members(e), w.title)
		if w.beat {
			p.Printf("A process has descriptors for %s, so they are at %d nodes, and in as many processes, which go before nothing. "+
				"The nodes and those who ask go before all else, by the kernel's real-time scheduler: as on processors of their own, nobody takes theirs. One node after the other publishes, and at any moment one loop writes to members. %d more clients of each node, in a process of their own, "+
				"ask it for a PONG meanwhile, one every %v, and before while nothing is published.\n\n", kit.Count(e.fit), len(shares(e.beat, e.fit)), flood.Probes, flood.ProbeEvery)
		}
		p.Compare(k, kit.Step{Workload: w.name}, kit.Comparison{Columns: slices.Concat(columns, turns), Rows: rows})
	}
	p.Targets("goal", targets(k))
	memory := k.Sample(kit.Step{Workload: "beat", Subject: ours}, "group_bytes")
	p.Printf("A session in two groups of all sessions takes %s bytes by count: 4 for it, 8 for the pair, and a bit in each group. "+
		"Of resident memory it takes %s more than one in none, measured in pages of %s bytes a session.\n",
		kit.Number(12.25), memory.In(" bytes"), kit.Number(4096/float64(min(e.beat, e.fit))))
	return nil
}

func (w workload) members(e effort) string {
	if w.beat {
		return kit.Count(e.beat)
	}
	return kit.Count(e.members)
}

func targets(k *kit.Kept) []kit.Target {
	at := func(workload string) kit.Step { return kit.Step{Workload: workload, Subject: ours} }
	floorOf := func(workload, figure, unit string) string {
		return k.Sample(at(workload).Of(floor), figure).In(unit)
	}
	byBare := func(workload, figure string) kit.Sample {
		return k.Paired(at(workload), at(workload).Of(floor), figure, kit.Ratio)
	}
	busy := "The machine has two processors for the loop, the clients and whoever else is on it."
	all := []kit.Target{
		{What: "single messages, by bare writes", AtLeast: new(leastSingle), Unit: "x", Of: byBare("single", "messages")},
		{What: "the same of a core's time", AtLeast: new(leastSingle), Unit: "x", Of: byBare("single", "messages_core")},
		{What: "messages a second of a core's time, ten wait", AtLeast: new(float64(leastTen)), Of: k.Sample(at(Waiting), "messages_core"),
			Why: "Bare writes come to " + floorOf(Waiting, "messages_core", "") + " here."},
		{What: "the same, by bare writes", AtLeast: new(leastSingle), Unit: "x", Of: byBare(Waiting, "messages_core")},
		{What: "PONG p99 during publications, by that without", AtMost: new(float64(mostRTT)), Unit: "x",
			Of: k.Sample(at("beat"), "rtt_ratio"), Why: busy},
	}
	for _, w := range workloads {
		all = append(all, kit.Target{What: fmt.Sprint("longest turn by processor time, ", w.name), AtMost: new(mostTurn), Unit: " ms", Of: k.Sample(at(w.name), "turn_cpu_ms"),
			Why: "That of bare gnet is " + floorOf(w.name, "turn_cpu_ms", " ms") + " here."},
			kit.Target{What: "the same by the clock", AtMost: new(mostTurn), Unit: " ms", Of: k.Sample(at(w.name), "turn_ms"), Why: busy})
	}
	return all
}
