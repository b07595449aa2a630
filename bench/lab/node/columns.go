package node

import (
	"slices"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// The columns of more than one table.
var (
	Bytes      = kit.Column{Title: "bytes a connection", Name: "bytes", Spread: true, Ratios: true}
	Beats      = kit.Column{Title: "heartbeats a second", Name: "beats_s"}
	BeatCPU    = kit.Column{Title: "µs CPU a heartbeat", Name: "cpu_us", Spread: true, Ratios: true}
	Connects   = kit.Column{Title: "connects a second", Name: "connect_s", Spread: true}
	ConnectCPU = kit.Column{Title: "µs CPU a connect", Name: "connect_us", Spread: true, Ratios: true}
	RTTp50     = kit.Column{Title: "RTT p50, ms", Name: "rtt_p50"}
	RTTp99     = kit.Column{Title: "RTT p99, ms", Name: "rtt_p99", Spread: true}
	Late       = kit.Column{Title: "clients late p99, ms", Name: "generator_p99"}
)

// Compare adds a table of what was measured at s: ours, the floor, and whoever else was.
func Compare(p *kit.Page, k *kit.Kept, s kit.Step, columns ...kit.Column) {
	p.Compare(k, s, kit.Comparison{Rows: rows(), Columns: columns, Ours: peers.Ours, Floor: peers.Floor, FloorName: "bare gnet's"})
}

// rows are the kinds in the order of the tables.
func rows() []kit.Row {
	var all []kit.Row
	for _, kind := range peers.Kinds {
		if kind.Name != peers.Ours {
			all = append(all, kit.Row{Subject: kind.Name, Label: kind.Label})
			continue
		}
		ours := "**" + kind.Label + "**"
		all = append(all, kit.Row{Subject: kind.Name, Label: ours}, kit.Row{Subject: openKind, Label: ours + ", admission open"})
	}
	return all
}

// Tried tells whether any kind was measured at s, or could not be.
func Tried(k *kit.Kept, s kit.Step) bool {
	return slices.ContainsFunc(rows(), func(r kit.Row) bool { return k.Tried(s.Of(r.Subject)) })
}
