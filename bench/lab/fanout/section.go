package fanout

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// What is to be reached.
const (
	leastSingle = 0.9       // of bare writes
	leastTen    = 1_500_000 // messages a second of a core's time
	mostRTT     = 2         // of an idle node's
	mostTurn    = 1.1       // ms
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
thread, which is its own work, and by the clock: what that has more, the thread had no processor. goim is not measured here; its docs/benchmark_en.md says 35.9 million messages of 10 bytes a second to
1,000,000 connections with 20 to 23 cores of a Xeon E5-2630 v2, which are 1.6 to 1.8 million a core.

`, bodySize, flood.Stint, flood.ReadEvery)
	e := effortOf(k.Effort)
	columns := []kit.Column{{Title: "messages a second", Name: "messages", Spread: true}, {Title: "a second of a core's time", Name: "messages_core", Spread: true},
		{Title: "cores", Name: "busy"}, {Title: "longest turn by processor time, ms", Name: "turn_cpu_ms", Spread: true},
		{Title: "by the clock, ms", Name: "turn_ms", Spread: true}, {Title: "load of the machine before", Name: "load", Spread: true}}
	rows := []kit.Row{{Subject: ours, Label: "Stormwheel"}, {Subject: floor, Label: "bare gnet writes"},
		{Subject: hubGWS, Label: "hub over gws"}, {Subject: hubOthers, Label: "centrifuge"}}
	for _, w := range workloads {
		if w.beat {
			columns = []kit.Column{{Title: "PONG p50 without, ms", Name: "idle_rtt_p50_ms", Spread: true}, {Title: "with, ms", Name: "rtt_p50_ms", Spread: true},
				{Title: "p99 without, ms", Name: "idle_rtt_p99_ms", Spread: true}, {Title: "with, ms", Name: "rtt_p99_ms", Spread: true},
				{Title: "messages a second", Name: "messages", Spread: true}, {Title: "longest turn by processor time, ms", Name: "turn_cpu_ms", Spread: true},
				{Title: "by the clock, ms", Name: "turn_ms", Spread: true}, {Title: "load of the machine before", Name: "load", Spread: true}}
		}
		p.Printf("### %s members: %s\n\n", w.members(e), w.title)
		if w.beat {
			p.Printf("%d more clients, in a process of their own, ask for a PONG in turn, one every %v.\n\n", flood.Probes, flood.ProbeEvery)
		}
		p.Compare(k, kit.Step{Workload: w.name}, kit.Comparison{Columns: columns, Rows: rows})
	}
	p.Targets("goal", targets(k))
	memory := k.Sample(kit.Step{Workload: "beat", Subject: ours}, "group_bytes")
	p.Printf("A session in two groups of all sessions takes %s bytes by count: 4 for it, 8 for the pair, and a bit in each group. "+
		"Of resident memory it takes %s more than one in none, measured in pages of %s bytes a session.\n",
		kit.Number(12.25), memory.In(" bytes"), kit.Number(4096/float64(e.beat)))
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
	busy := "The machine has two processors for the loop, the clients and whoever else is on it."
	all := []kit.Target{
		{What: "single messages, by bare writes", AtLeast: new(leastSingle), Unit: "x",
			Of: k.Paired(at("single"), at("single").Of(floor), "messages", kit.Ratio)},
		{What: "the same of a core's time", AtLeast: new(leastSingle), Unit: "x",
			Of: k.Paired(at("single"), at("single").Of(floor), "messages_core", kit.Ratio)},
		{What: "messages a second of a core's time, ten wait", AtLeast: new(float64(leastTen)), Of: k.Sample(at("ten"), "messages_core")},
		{What: "PONG p99 during publications, by that without", AtMost: new(float64(mostRTT)), Unit: "x",
			Of: k.Sample(at("beat"), "rtt_ratio"), Why: busy},
	}
	for _, w := range workloads {
		all = append(all, kit.Target{What: fmt.Sprint("longest turn by processor time, ", w.name), AtMost: new(mostTurn), Unit: " ms", Of: k.Sample(at(w.name), "turn_cpu_ms")},
			kit.Target{What: "the same by the clock", AtMost: new(mostTurn), Unit: " ms", Of: k.Sample(at(w.name), "turn_ms"), Why: busy})
	}
	return all
}
