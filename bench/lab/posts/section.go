package posts

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// What is to be reached.
const (
	leastTogether = 400_000 // messages a second
	leastApart    = 0.8     // of bare writes
	mostAllocs    = 1       // a message
	mostTurn      = 1.1     // ms
)

func write(p *kit.Page, k *kit.Kept) error {
	p.Printf(`One event loop, and %d goroutines beside it that call Server.Deliver with %d bytes each as fast as they
are let: when the mailbox is full, one waits %v. Their clients are in another process, which reads
once in %v all that has come; %d more clients ask for a PONG in turn, one every %v. Beside it is a loop of bare gnet which
writes the same frame to the same connections for %v at a time, then serves its sockets: it has no
mailbox, no session and no posters that take processors from it. The two take turns. The servers, posters included, and the clients go before what else this machine
does, and share it: a round trip is also the wait for a processor, and a turn that lost it lasts as long as it was away. So a turn is measured twice, by the
processor time of its thread, and by the clock. The kernel takes packets in and ends timers on that time, too, the clients' among them; a turn of bare gnet is
its %v of writing, which has that as well. Those are cut that were without a processor for %v or more.

`, posters, bodySize, fullWait, flood.ReadEvery, flood.Probes, flood.ProbeEvery, flood.Stint, flood.Stint, flood.CutTime)
	columns := []kit.Column{{Title: "messages a second", Name: "messages", Spread: true}, {Title: "PONG p50, ms", Name: "rtt_p50_ms", Spread: true},
		{Title: "PONG p99, ms", Name: "rtt_p99_ms", Spread: true}, {Title: "allocations a message", Name: "allocs"},
		{Title: "longest turn by processor time, ms", Name: "turn_cpu_ms", Spread: true}, {Title: "of 1,000 above " + kit.Number(mostTurn), Name: "turn_over"}, {Title: "by the clock, ms", Name: "turn_ms", Spread: true},
		{Title: "of that without a processor", Name: "turn_lost_ms"}, {Title: "turns cut, of 1,000", Name: "turn_cut"}, {Title: "load of the machine before", Name: "load", Spread: true}}
	for _, w := range workloads {
		p.Printf("### %s\n\n", w.title(effortOf(k.Effort)))
		p.Compare(k, kit.Step{Workload: w.name}, kit.Comparison{Columns: columns,
			Rows: []kit.Row{{Subject: ours, Label: "Stormwheel"}, {Subject: floor, Label: "bare gnet writes"}}})
	}
	p.Targets("goal", targets(k))
	return nil
}

func (w workload) title(e effort) string {
	sessions := kit.Count(w.sessions / e.part)
	if w.apart {
		return fmt.Sprintf("%s sessions in turn: a message is a Write", sessions)
	}
	return fmt.Sprintf("%s sessions at random: a Write has many messages", sessions)
}

func targets(k *kit.Kept) []kit.Target {
	together, apart := kit.Step{Workload: workloads[0].name, Subject: ours}, kit.Step{Workload: workloads[1].name, Subject: ours}
	busy := "The machine has two processors for the loop, its posters, the clients and whoever else is on it."
	all := []kit.Target{
		{What: "messages a second, many in a Write", AtLeast: new(float64(leastTogether)), Of: k.Sample(together, "messages")},
		{What: "messages by bare writes, one in a Write", AtLeast: new(leastApart), Unit: "x",
			Of: k.Paired(apart, apart.Of(floor), "messages", kit.Ratio)},
	}
	for _, s := range []kit.Step{together, apart} {
		all = append(all, kit.Target{What: "allocations a message, " + s.Workload, AtMost: new(float64(mostAllocs)), Of: k.Sample(s, "allocs"), Worst: true},
			kit.Target{What: "longest turn by processor time, " + s.Workload, AtMost: new(mostTurn), Unit: " ms", Of: k.Sample(s, "turn_cpu_ms"),
				Why: "That of bare gnet is " + k.Sample(s.Of(floor), "turn_cpu_ms").In(" ms") + " here."},
			kit.Target{What: "the same by the clock", AtMost: new(mostTurn), Unit: " ms", Of: k.Sample(s, "turn_ms"), Why: busy})
	}
	return all
}
