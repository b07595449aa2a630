package cluster

import (
	"fmt"
	"runtime"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// What is to be reached.
const (
	mostTimes    = 2       // of a message on one node, p99
	leastOneWay  = 100_000 // messages a second
	mostKilled   = 50      // ms
	mostFrozen   = 1000    // ms
	mostMemory   = 4       // MB
	mostIdle     = 0.2     // % of a core
	leastChanges = 99_000  // a minute: what comes at 100,000 is counted
	mostOverN    = 1.1     // of N by the survivors' rates
)

func write(p *kit.Page, k *kit.Kept) error {
	e := effortOf(k.Effort)
	load := kit.Column{Title: "load of the machine before", Name: "load", Spread: true}
	p.Printf("Nodes of a cluster with NATS within each, and encrypted connections, all on this machine of %d processors, and with them whoever drives them.\n\n", runtime.NumCPU())
	p.Printf("### Messages between users: %d at each of two nodes\n\n", e.users/2)
	p.Printf("A message of %d bytes counts when its sender has the ACK that says that the addressee has acknowledged it. The users write to one at their own node, or "+
		"to one at the other. First %s come a second, evenly, and the time counts from when each was due; then every user has %d open. "+
		"Nodes are a process each, and the users one. A core's time is that of both nodes.\n\n", contentSize, kit.Count(pairsRate), pairsOpen)
	p.Compare(k, kit.Step{Workload: pairs}, kit.Comparison{Rows: []kit.Row{{Subject: same, Label: "at the same node"}, {Subject: other, Label: "at the other node"}},
		Columns: []kit.Column{{Title: "paced, a second", Name: "paced", Spread: true}, {Title: "p50, ms", Name: "paced_p50_ms", Spread: true},
			{Title: "p99, ms", Name: "paced_p99_ms", Spread: true}, {Title: "late p99 of the users, ms", Name: "paced_late_ms"}, {Title: "a second of a core's time", Name: "paced_core"}, {Title: "at most, a second", Name: "full", Spread: true},
			{Title: "a second of a core's time", Name: "full_core", Spread: true}, {Title: "refused", Name: "refused"}, load}})
	p.Printf("### One way, without hubs: %d bytes\n\nBoth nodes, and their NATS, are in one process.\n\n", oneWaySize)
	p.Compare(k, kit.Step{Workload: oneWay}, kit.Comparison{Rows: []kit.Row{{Subject: bus, Label: "node to node"}},
		Columns: []kit.Column{{Title: "a second", Name: "messages", Spread: true}, {Title: "a second of a core's time", Name: "messages_core", Spread: true}, load}})
	writeRooms(p, k)
	p.Printf("### A dead node: how long until another is told\n\nThe longest of %d in each round.\n\n", e.deaths)
	p.Compare(k, kit.Step{Workload: dead}, kit.Comparison{Rows: []kit.Row{{Subject: killed, Label: "kill -9"}, {Subject: frozen, Label: "SIGSTOP"}},
		Columns: []kit.Column{{Title: "noticed, ms", Name: "noticed_ms", Spread: true}}})
	p.Printf("### Logins and logouts: %s a minute at one node, told to another\n\nBoth nodes, and their NATS, are in one process.\n\n", kit.Count(100_000))
	p.Compare(k, kit.Step{Workload: presence}, kit.Comparison{Rows: []kit.Row{{Subject: changes, Label: "told"}},
		Columns: []kit.Column{{Title: "a minute", Name: "changes", Spread: true}, {Title: "p50, ms", Name: "p50_ms", Spread: true}, {Title: "p99, ms", Name: "p99_ms", Spread: true},
			{Title: "not told", Name: "untold"}, {Title: "cores, both nodes", Name: "busy"}, load}})
	writeGrowth(p, k)
	writeIdle(p, k)
	storms, err := writeStorms(p, k)
	if err != nil {
		return err
	}
	p.Targets("goal", append(targets(k), storms...))
	return nil
}

func writeIdle(p *kit.Page, k *kit.Kept) {
	p.Printf("### Without clients: a node of three, and one of no cluster\n\n")
	at := kit.Step{Workload: idle, Subject: clustered}
	if k.Rounds(at) == 0 {
		p.Printf("Not measured: %s.\n\n", k.Problem(at))
		return
	}
	p.Printf("The means of three nodes, over %v. What costs is that a process is woken that does nothing else, from a processor that sleeps; the more a machine has to do, the less it is. "+
		"Memory of its own is heap, stacks and tables. Pages of the program are those of the file that were read: the kernel's to take back, and one copy for all processes.\n\n",
		idleTimes*effortOf(k.Effort).phase)
	cell := func(name string) string { return kit.Number(k.Sample(at, name).Median) }
	var rows [][]string
	for _, r := range [][2]string{{clustered, "of a cluster"}, {single, "of none"}, {"more", "the cluster"}} {
		rows = append(rows, []string{r[1], cell(r[0] + "_percent"), cell(r[0] + "_wakes"), cell(r[0] + "_anon_mb"), cell(r[0] + "_file_mb")})
	}
	p.Table([]string{"", "% of a core", "times that a thread ran, a second", "memory of its own, MB", "pages of the program in memory, MB"}, rows)
}

func writeStorms(p *kit.Page, k *kit.Kept) (targets []kit.Target, err error) {
	play := killOf(k)
	results, err := k.Results(play.Step)
	if err != nil {
		return nil, err
	}
	p.Printf("### kill -9 of one of three nodes with %s clients\n\n", kit.Count(effortOf(k.Effort).clients))
	p.Shell(play.String())
	var rows [][]string
	var times, lost []float64
	for _, res := range results {
		s := res.Storm
		if s == nil || s.T100S == nil || s.IdealS == nil {
			rows = append(rows, []string{"not all came back", "", "", "", ""})
			continue
		}
		times = append(times, *s.T100S / *s.IdealS)
		lost = append(lost, float64(res.Eviction.False))
		rows = append(rows, []string{kit.Count(s.Clients), kit.Seen(s.T99S).String(), kit.Seen(s.T100S).String(), kit.Seen(s.IdealS).String(), kit.Seen(s.AttemptsPerSuccess).String()})
	}
	p.Table([]string{"clients that lost their node", "99 % are back, s", "all are back, s", "at the survivors' rates, s", "attempts each"}, rows)
	return []kit.Target{
		{What: "all are back, by what the survivors' rates take", AtMost: new(mostOverN), Unit: " times", Of: kit.SampleOf(times)},
		{What: "clients of the survivors that were evicted", AtMost: new(0.0), Of: kit.SampleOf(lost), Worst: true},
	}, nil
}

func targets(k *kit.Kept) []kit.Target {
	at := func(workload, subject string) kit.Step { return kit.Step{Workload: workload, Subject: subject} }
	busy := fmt.Sprintf("Both nodes and the users share %d processors.", runtime.NumCPU())
	return []kit.Target{
		{What: "p99 of a message to another node, by that on one node", AtMost: new(float64(mostTimes)), Unit: " times",
			Of: k.Paired(at(pairs, other), at(pairs, same), "paced_p99_ms", kit.Ratio), Why: busy},
		{What: "one way, without hubs, a second", AtLeast: new(float64(leastOneWay)), Of: k.Sample(at(oneWay, bus), "messages"), Why: busy},
		{What: "one way between users, acknowledged, a second", AtLeast: new(float64(leastOneWay)), Of: k.Sample(at(pairs, other), "full"), Why: busy},
		{What: "a killed node is noticed", AtMost: new(float64(mostKilled)), Unit: " ms", Of: k.Sample(at(dead, killed), "noticed_ms"), Worst: true},
		{What: "a frozen node is noticed", AtMost: new(float64(mostFrozen)), Unit: " ms", Of: k.Sample(at(dead, frozen), "noticed_ms"), Worst: true},
		{What: "logins and logouts told, a minute", AtLeast: new(float64(leastChanges)), Of: k.Sample(at(presence, changes), "changes")},
		{What: "memory of its own of an idle node's cluster", AtMost: new(float64(mostMemory)), Unit: " MB", Of: k.Sample(at(idle, clustered), "more_anon_mb")},
		{What: "processor of an idle node's cluster", AtMost: new(mostIdle), Unit: " % of a core", Of: k.Sample(at(idle, clustered), "more_percent"),
			Why: "That a frozen node is noticed within a second takes three messages a second from each node to each, and a look as often as six times."},
		{What: "logins told to all, at the " + fmt.Sprint(homesAbove) + " nodes above which homes begin", AtMost: new(float64(mostLogins)), Unit: " % of a core", Of: loginsAt(k, homesAbove)},
	}
}

// loginsAt is what they cost one of so many nodes.
func loginsAt(k *kit.Kept, size int) kit.Sample {
	if percent, ok := coreOf(k, size, toAll); ok {
		return kit.SampleOf([]float64{percent})
	}
	return kit.Sample{}
}
