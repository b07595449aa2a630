package cluster

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

const (
	// homesAbove is the default of --cluster-homes-above, which follows from what is measured here: as long as the logins of all nodes cost
	// each of them no more than mostLogins, all are told to all.
	homesAbove = 16
	mostLogins = 5 // % of a core
)

// coreOf is what one node spends on what it is told in a second, in percent of a core: each message as much as the mesh says, and the
// machine its time.
func coreOf(k *kit.Kept, size int, subject string) (percent float64, ok bool) {
	at := kit.Step{Workload: growth, Subject: subject, Size: size}
	carry := k.Sample(kit.Step{Workload: mesh, Subject: bus}, "carry_us")
	if k.Rounds(at) == 0 || carry.N == 0 {
		return 0, false
	}
	get := func(name string) float64 { return k.Sample(at, name).Median }
	return ((get("node_messages")+get("login_messages"))*carry.Median + get("one_us")) / 1e4, true
}

// meeting is how many nodes it takes until a bound is passed, or homes cost less: between two sizes it is taken for even.
func meeting(k *kit.Kept, above func(size int) float64) (nodes float64) {
	before, last := 0.0, 0
	for _, size := range effortOf(k.Effort).sizes {
		now := above(size)
		if now > 0 {
			if last == 0 {
				return float64(size)
			}
			return float64(last) + float64(size-last)*before/(before-now)
		}
		before, last = now, size
	}
	return 0
}

func writeGrowth(p *kit.Page, k *kit.Kept) {
	e := effortOf(k.Effort)
	p.Printf("### With more nodes: logins\n\nNodes without processes, in virtual time: what they say to each other is counted, exactly. At each node %d clients come in a second, and as many go. "+
		"A row is what comes to one node in a second; the last two columns are of all nodes together. "+
		"A message that comes costs %s us of a processor, sent, carried, encrypted and received, with NATS within each of %d nodes that share this machine (that is measured beside). "+
		"The machine's time is measured once, and is not exact.\n\n",
		growthLogins, kit.Number(k.Sample(kit.Step{Workload: mesh, Subject: bus}, "carry_us").Median), meshNodes)
	for _, mode := range [][2]string{{toAll, "**Each node tells its logins to all:**"}, {homed, "**Each tells them to homes alone:**"}} {
		p.Printf("%s\n\n", mode[1])
		var rows [][]string
		for _, size := range e.sizes {
			rows = append(rows, growthRow(k, size, mode[0]))
		}
		p.Table([]string{"nodes", "announcements", "bytes of one", "messages about logins", "bytes of one", "KiB", "of the machine, ms", "of a core, with the bus, %",
			"messages for a login and its logout", "bytes kept of a session"}, rows)
	}
	ends := meeting(k, func(size int) float64 { all, _ := coreOf(k, size, toAll); return all - mostLogins })
	crossed := meeting(k, func(size int) float64 {
		all, _ := coreOf(k, size, toAll)
		homes, _ := coreOf(k, size, homed)
		return all - homes
	})
	said := func(nodes float64) string {
		if nodes == 0 {
			return fmt.Sprintf("more than %d", e.sizes[len(e.sizes)-1])
		}
		return fmt.Sprintf("%.0f", nodes)
	}
	p.Printf("Homes cost a node less from %s nodes on. All-to-all is kept for longer, since a login is known after one way and not two, and nothing is kept of a session "+
		"but at its node: until it costs %d %% of a core, which it does at %s nodes. So homes begin above %d (`--cluster-homes-above`).\n\n", said(crossed), mostLogins, said(ends), homesAbove)
	writeWords(p, k)
}

func growthRow(k *kit.Kept, size int, subject string) []string {
	at := kit.Step{Workload: growth, Subject: subject, Size: size}
	if k.Rounds(at) == 0 {
		return []string{fmt.Sprint(size), "not measured: " + k.Problem(at), "", "", "", "", "", "", "", ""}
	}
	get := func(name string) float64 { return k.Sample(at, name).Median }
	core, _ := coreOf(k, size, subject)
	bytes := get("node_messages")*get("node_bytes") + get("login_messages")*get("login_bytes")
	return []string{fmt.Sprint(size), kit.Number(get("node_messages")), kit.Number(get("node_bytes")), kit.Number(get("login_messages")), kit.Number(get("login_bytes")),
		kit.Number(bytes / 1024), kit.Number(get("one_us") / 1000), kit.Number(core), kit.Number(get("login_messages") / get("logins")), kit.Number(get("session_bytes"))}
}

func writeWords(p *kit.Page, k *kit.Kept) {
	p.Printf("### With more nodes: messages\n\nNodes with hubs and clients, in one process, with a bus in memory: what the nodes say to each other for one message of %d bytes, counted as often as it comes, "+
		"with their acknowledgements of each other. It goes to a user at another node, whose place is known, at %d a second; or to a room, from each node in turn, whose home is some node.\n\n", contentSize, wordsRate)
	var rows [][]string
	for _, size := range effortOf(k.Effort).hubs {
		for _, mode := range [][2]string{{toAll, "all to all"}, {homed, "homes"}} {
			at := kit.Step{Workload: words, Subject: mode[0], Size: size}
			row := []string{fmt.Sprint(size), mode[1], "not measured: " + k.Problem(at), "", "", ""}
			if k.Rounds(at) > 0 {
				get := func(name string) string { return kit.Number(k.Sample(at, name).Median) }
				row = []string{fmt.Sprint(size), mode[1], get("user_messages"), get("user_bytes"), get("room_messages"), get("room_bytes")}
			}
			rows = append(rows, row)
		}
	}
	p.Table([]string{"nodes", "logins", "messages for one to a user", "bytes", "messages for one to a room", "bytes"}, rows)
}

func writeRooms(p *kit.Page, k *kit.Kept) {
	p.Printf("### A room at two nodes\n\n%s members at each of two nodes, in processes beside them; the nodes are in one process, with NATS. The first node says messages of %d bytes: one at a time, "+
		"until all members have it; then %d at once, twice over. Messages are counted for each member. Stormwheel's have a place in their order, and are kept for who comes back; with NATS within "+
		"each node connections between them are encrypted. centrifuge v0.40.1 has one NATS beside both, as its second subject here has, unencrypted, by a broker of ours (its own are for Redis), and clients "+
		"that speak protobuf by WebSocket; its messages have no place, and nothing is kept.\n\n", kit.Count(effortOf(k.Effort).members), roomSize, roomTimes)
	p.Compare(k, kit.Step{Workload: rooms}, kit.Comparison{Rows: []kit.Row{{Subject: ours, Label: "Stormwheel, NATS within"}, {Subject: oursBy, Label: "Stormwheel, a NATS beside"}, {Subject: others, Label: "centrifuge, a NATS beside"}},
		Columns: []kit.Column{{Title: "until all have one, ms", Name: "one_ms", Spread: true}, {Title: "a second", Name: "messages", Spread: true},
			{Title: "a second of a core's time", Name: "messages_core", Spread: true}, {Title: "load of the machine before", Name: "load", Spread: true}}})
}
