// Package websocket measures a node whose clients come by WebSocket beside the same node over plain
// TCP, and beside servers that other libraries make, on the same heartbeats.
package websocket

import (
	"context"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// Section is the part of BENCHMARKS.md about WebSockets.
var Section = kit.Section{Name: "websocket", Title: "WebSocket",
	Code:  []string{"server", "codec", "timingwheel", "internal/transport", "bench/lab/websocket", "bench/lab/peers"},
	Steps: steps, Measure: measure, Write: write}

// The bars: of the same node over plain TCP.
const (
	mostCPU   = 1.05 // times the processor time of a heartbeat
	mostBytes = 40   // more bytes an idle connection
)

type effort struct {
	conns      int
	rate       float64 // heartbeats a second
	pairs, all int     // rounds of ours, over TCP and by WebSocket, and of the others
	warm, span time.Duration
}

var efforts = map[string]effort{
	"full":  {conns: 15_000, rate: 10_000, pairs: 6, all: 2, warm: 3 * time.Second, span: 8 * time.Second},
	"short": {conns: 5000, rate: 5000, pairs: 3, all: 1, warm: 2 * time.Second, span: 4 * time.Second},
	"tiny":  {conns: 200, rate: 400, pairs: 1, all: 1, warm: 500 * time.Millisecond, span: time.Second},
}

func steps(k *kit.Kept) []kit.Step {
	e := efforts[k.Effort.Name]
	kinds := []string{peers.Ours}
	for _, kind := range peers.WebSockets {
		kinds = append(kinds, kind.Name)
	}
	only := func(kind string, round int) bool {
		return round < e.all || kind == peers.Ours || kind == peers.OursWS
	}
	idle := kit.Turns(max(e.pairs, e.all), kit.Step{Workload: "idle", Size: e.conns}, kinds, only)
	return append(idle, kit.Turns(max(e.pairs, e.all), kit.Step{Workload: "beat", Size: e.conns, Rate: e.rate}, kinds, only)...)
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	e := efforts[k.Effort.Name]
	h := node.Holding{Conns: r.Size, Connect: 2000, Heartbeat: node.IdleHeartbeat, Warm: e.warm, Transport: "ws"}
	if r.Subject == peers.Ours {
		h.Transport = "tcp"
	}
	if r.Workload == "beat" {
		h.Heartbeat, h.Span = node.HeartbeatFor(r.Size, r.Rate), e.span
	}
	return node.Hold(ctx, r, h)
}

func write(p *kit.Page, k *kit.Kept) error {
	e := efforts[k.Effort.Name]
	if k.Effort.Name != "full" {
		p.Printf("**This was a %s run.**\n\n", k.Effort.Name)
	}
	p.Printf(`%s clients come by WebSocket, and stay: in one part they are silent, in the other they send %s
heartbeats a second together, each a binary message, and read the answers. Beside it is the same node over
plain TCP, and servers that other libraries make: they answer the same frames, and know no session,
limit or admission. The subjects take turns. Nodes and clients share this machine with whatever else is
on it: how late the clients were (p99 of their timers) stands beside, and a figure whose clients were
more than 20 ms late is to be doubted, its ratio less than itself.

`, kit.Count(e.conns), kit.Count(int(e.rate)))
	rows := []kit.Row{{Subject: peers.Ours, Label: "**Stormwheel**, plain TCP"}}
	var hows [][]string
	for _, kind := range peers.WebSockets {
		label := kind.Label
		if kind.Name == peers.OursWS {
			label = "**Stormwheel**, WebSocket"
		}
		rows = append(rows, kit.Row{Subject: kind.Name, Label: label})
		hows = append(hows, []string{kind.Label, kind.How})
	}
	p.Table([]string{"server", "how it is set up"}, hows)
	compare := func(s kit.Step, columns ...kit.Column) {
		p.Compare(k, s, kit.Comparison{Rows: rows, Columns: columns, Ours: peers.OursWS, Floor: peers.Ours, FloorName: "plain TCP's"})
	}
	idle, beat := kit.Step{Workload: "idle", Size: e.conns}, kit.Step{Workload: "beat", Size: e.conns, Rate: e.rate}
	compare(idle, node.Bytes, node.ConnectCPU)
	compare(beat, node.Beats, node.BeatCPU, node.RTTp50, node.RTTp99, node.Late)
	less := func(x, y float64) float64 { return x - y }
	p.Targets("figure", []kit.Target{
		{What: "CPU of a heartbeat by WebSocket, of plain TCP's", AtMost: new(float64(mostCPU)), Unit: "x",
			Of: k.Paired(beat.Of(peers.OursWS), beat.Of(peers.Ours), "cpu_us", kit.Ratio)},
		{What: "memory of an idle WebSocket, above plain TCP's", AtMost: new(float64(mostBytes)), Unit: " B",
			Of: k.Paired(idle.Of(peers.OursWS), idle.Of(peers.Ours), "bytes", less)},
	})
	return nil
}
