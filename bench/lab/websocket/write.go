package websocket

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

func write(p *kit.Page, k *kit.Kept) error {
	e := effortOf(k)
	if k.Effort.Name != "full" {
		p.Printf("**This was a %s run.**\n\n", k.Effort.Name)
	}
	p.Printf(`Clients come by WebSocket and stay: in one part %s are silent, in the other %s send %s heartbeats a second
together, each a binary message, and read the answers. Beside it is the same node over plain TCP, and servers
that other libraries make: they answer the same frames, and know no session, limit or admission. In centrifuge's
protocol it is the server that pings: its clients answer %s pings a second together, so that as many messages
go each way; but the timers are the server's, and the clients have none that could be late. The subjects take
turns.

Bytes a connection are those of the %s clients beyond %s that came before: what a server has once is not among them.
Nodes and clients share this machine with whatever else is on it: how late the clients were (p99 of their timers)
stands beside, and a figure whose clients were more than 20 ms late is to be doubted, its ratio less than itself.

`, kit.Count(e.conns), kit.Count(e.beating), kit.Count(int(e.rate)), kit.Count(int(e.rate)), kit.Count(e.conns), kit.Count(e.first))
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
	compare := func(title string, s kit.Step, columns ...kit.Column) {
		p.Printf("%s:\n\n", title)
		p.Compare(k, s, kit.Comparison{Rows: rows, Columns: columns, Ours: peers.OursWS, Floor: peers.Ours, FloorName: "plain TCP's"})
	}
	compare(kit.Count(e.conns)+" silent clients", e.idleStep(), node.Bytes, node.ConnectCPU)
	compare(fmt.Sprintf("%s heartbeats a second of %s clients", kit.Count(int(e.rate)), kit.Count(e.beating)), e.beatStep(),
		node.Beats, node.BeatCPU, node.RTTp50, node.RTTp99, node.Late)
	storms, ratios, err := e.storms99(k)
	if err != nil {
		return err
	}
	if len(storms) > 0 {
		p.Printf("The first of two nodes is killed, and its clients go to the other one, which lets %s a second in:\n\n", kit.Count(e.admit))
		p.Table(kit.StormTitles, storms)
	}
	less := func(x, y float64) float64 { return x - y }
	p.Targets("figure", []kit.Target{
		{What: "CPU of a heartbeat by WebSocket, of plain TCP's", AtMost: new(float64(mostCPU)), Unit: "x",
			Of: k.Paired(e.beatStep().Of(peers.OursWS), e.beatStep().Of(peers.Ours), "cpu_us", kit.Ratio)},
		{What: "memory of an idle WebSocket, above plain TCP's", AtMost: new(float64(mostBytes)), Unit: " B",
			Of: k.Paired(e.idleStep().Of(peers.OursWS), e.idleStep().Of(peers.Ours), "bytes", less)},
		{What: "storm by WebSocket: t99, by N/C", AtMost: new(float64(mostStorm)), Unit: "x", Of: kit.SampleOf(ratios)},
	})
	return nil
}
