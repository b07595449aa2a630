package messages

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/fanout"
	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// What is to be reached.
const (
	leastPairs   = 20_000    // messages a second of a core's time
	leastRoom    = 1_500_000 // deliveries a second of a core's time
	mostDurable  = 30        // ms, p99
	mostPairs    = 10        // ms, p99 at half the rate
	mostLate     = 5         // ms, p99: as of the load generator
	mostRefusals = 0
	mostStrays   = 0
)

func write(p *kit.Page, k *kit.Kept) error {
	e := effortOf(k.Effort)
	p.Printf(`A node that runs package messaging, with the default policy and no bound on rates. Its clients are in another process, which
reads and writes all of them by epoll on one thread, and share the machine with it; both go before what else the machine does. Their messages have %d bytes, beside the envelope. A core's time
is the processor time of the node's process, whatever its threads did: the kernel's part of its reads and writes is in it. Messages a wake-up are messages by
the times that one of its threads slept: above one, they coalesce. Waiting is how long the node's threads that could run had no processor, all together. Late is
how long after it was due a message was written by its client, which is the clients' doing; its own time has that in it.

`, contentSize)
	load := kit.Column{Title: "load of the machine before", Name: "load", Spread: true}
	p.Printf("### Stored and acknowledged: %s users send to %s who are away\n\n", kit.Count(e.senders), kit.Count(awayUsers))
	p.Printf("The store is a file of bbolt in the folder for temporary files, and an ACK comes behind the fsync; a commit has two. Before anybody is there, fsyncs of %d pages of 4 KiB here and there are timed in that folder. First %s come a second, evenly, and the "+
		"time counts from when each was due; then every client has %d open.\n\n", diskPages, kit.Count(durableRate), depths[durable])
	p.Compare(k, kit.Step{Workload: durable}, kit.Comparison{Rows: []kit.Row{{Subject: ours, Label: "Stormwheel"}}, Columns: []kit.Column{
		{Title: "paced, a second", Name: paced, Spread: true}, {Title: "p50, ms", Name: paced + "_p50_ms", Spread: true},
		{Title: "p99, ms", Name: paced + "_p99_ms", Spread: true}, {Title: "cores", Name: paced + "_busy"}, {Title: "waiting", Name: paced + "_waited"},
		{Title: "late p99, ms", Name: paced + "_late_ms"}, {Title: "at most, a second", Name: full, Spread: true}, {Title: "refused", Name: "refused"},
		{Title: "an fsync alone, p50, ms", Name: "fsync_p50_ms", Spread: true}, {Title: "p99, ms", Name: "fsync_p99_ms", Spread: true}, load}})
	p.Printf("### Between users who are online: %s clients, each to another at random\n\n", kit.Count(e.online))
	p.Printf("A message counts when its sender has the ACK that says that the addressee has acknowledged it: two reads and two writes of the node. First %s come a second, "+
		"evenly; then every client has %d open, for as many as can be; then half as many a second come evenly.\n\n", kit.Count(pairsRate), depths[pairs])
	rows := []kit.Row{{Subject: ours, Label: "Stormwheel, one event loop"}, {Subject: oursWide, Label: "Stormwheel, one for each processor"}}
	for _, phase := range []struct{ name, title string }{{paced, kit.Count(pairsRate) + " a second"}, {full, "As many as can be"}, {half, "Half as many"}} {
		p.Printf("%s:\n\n", phase.title)
		columns := []kit.Column{{Title: "a second", Name: phase.name, Spread: true},
			{Title: "a second of a core's time", Name: phase.name + "_core", Spread: true}, {Title: "messages a wake-up", Name: phase.name + "_wake"},
			{Title: "p50, ms", Name: phase.name + "_p50_ms", Spread: true}, {Title: "p99, ms", Name: phase.name + "_p99_ms", Spread: true},
			{Title: "cores", Name: phase.name + "_busy"}, {Title: "waiting", Name: phase.name + "_waited"}, load}
		if phase.name != full {
			columns = append(columns, kit.Column{Title: "late p99, ms", Name: phase.name + "_late_ms"})
		}
		p.Compare(k, kit.Step{Workload: pairs}, kit.Comparison{Rows: rows, Columns: columns})
	}
	p.Printf("### A room: ten messages wait for all members\n\n")
	p.Printf("The room keeps its last 128 messages for members who come back. Beside it is a channel of centrifuge v0.40.1 with a history of as many, "+
		"positioning and recovery, in memory, over WebSocket and with its protobuf protocol. The members read once in %v all that has come. Deliveries are to all members together.\n\n", flood.ReadEvery)
	p.Compare(k, kit.Step{Workload: room}, kit.Comparison{Rows: []kit.Row{{Subject: fanout.OfHub, Label: "Stormwheel, a room"}, {Subject: fanout.OfHistory, Label: "centrifuge, with history"}},
		Columns: []kit.Column{{Title: "members", Name: "members"}, {Title: "deliveries a second", Name: "messages", Spread: true},
			{Title: "a second of a core's time", Name: "messages_core", Spread: true}, {Title: "cores", Name: "busy"}, load}})
	s := kit.Step{Workload: wide, Subject: fanout.OfRooms}
	p.Printf("### A room whose members are at many nodes\n\nA process has not so many descriptors, so the members of one room are at nodes that know each other, and share this machine. "+
		"%d messages are said at one of them, each when all have the one before. Strays are bytes that members have read too many or too few of a message: it is the same for all of them.\n\n", fanout.WideMessages)
	p.Compare(k, s.Of(""), kit.Comparison{Rows: []kit.Row{{Subject: fanout.OfRooms, Label: "Stormwheel, a room"}}, Columns: []kit.Column{
		{Title: "members", Name: "members"}, {Title: "nodes", Name: "nodes"}, {Title: "members, as a node is told", Name: "told"},
		{Title: "until all have a message, ms", Name: "all_ms"}, {Title: "strays", Name: "strays"}, load}})
	p.Targets("goal", targets(k))
	p.Printf(`What others publish, of machines of their own: WuKongIM v2.1.2 (docs.githubim.com/en/getting-started/stress-report, a server of 16 cores) takes
40,000 messages a second to 100 groups of which one member each is online, stored and acknowledged in 400 to 600 ms on average, and brings 200,000 a second to the 5,000 members
of a group who are online. goim (docs/benchmark_en.md, 20 to 23 cores) brings 35.9 million messages of 10 bytes a second to a room of 1,000,000, neither stored nor acknowledged. The README of
CIM has no figures.
`)
	return nil
}

func targets(k *kit.Kept) []kit.Target {
	at := func(workload, subject string) kit.Step { return kit.Step{Workload: workload, Subject: subject} }
	busy := "The machine has two processors for the node, the clients and whoever else is on it."
	alone := "A message that comes alone costs nearly twice what one of many does, so that the loop is at work for most of the time at this rate, and makes slowly up for each moment that it had no processor."
	return []kit.Target{
		{What: "durable messages a second, paced", AtLeast: new(0.99 * durableRate), Of: k.Sample(at(durable, ours), paced), Why: busy},
		{What: "p99 of these", AtMost: new(float64(mostDurable)), Unit: " ms", Of: k.Sample(at(durable, ours), paced+"_p99_ms"), Why: busy},
		{What: "durable messages refused", AtMost: new(float64(mostRefusals)), Of: k.Sample(at(durable, ours), "refused"), Worst: true},
		{What: "messages between users, a second of a core's time", AtLeast: new(float64(leastPairs)), Of: k.Sample(at(pairs, ours), full+"_core")},
		{What: fmt.Sprintf("p99 at %s a second", kit.Count(pairsRate)), AtMost: new(float64(mostPairs)), Unit: " ms", From: "half of 20,000", Of: k.Sample(at(pairs, ours), paced+"_p99_ms"), Why: busy},
		{What: "p99 at half of what it can take", AtMost: new(float64(mostPairs)), Unit: " ms", Of: k.Sample(at(pairs, ours), half+"_p99_ms"), Why: alone},
		{What: "late p99 of the clients meanwhile", AtMost: new(float64(mostLate)), Unit: " ms", Of: k.Sample(at(pairs, ours), half+"_late_ms"), Why: "The times above are then the clients', too."},
		{What: "deliveries to a room, a second of a core's time", AtLeast: new(float64(leastRoom)), Of: k.Sample(at(room, fanout.OfHub), "messages_core")},
		{What: "strays where a room's members are at many nodes", AtMost: new(float64(mostStrays)), Of: k.Sample(at(wide, fanout.OfRooms), "strays"), Worst: true},
	}
}
