package tls

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

var (
	shakesCore = kit.Column{Title: "handshakes a second a core", Name: "shakes_core", Spread: true, Ratios: true}
	shakeP50   = kit.Column{Title: "latency p50, ms", Name: "shake_p50"}
	shakeP99   = kit.Column{Title: "latency p99, ms", Name: "shake_p99", Spread: true}
	shakesRate = kit.Column{Title: "handshakes a second", Name: "shakes_s"}
)

func write(p *kit.Page, k *kit.Kept) error {
	e := efforts[k.Effort.Name]
	conns := e.beats[0].conns
	if k.Effort.Name != "full" {
		p.Printf("**This was a %s run.**\n\n", k.Effort.Name)
	}
	p.Printf(`%s clients come by TLS 1.3 and full handshakes, %s a second (%s to others than the node, and without TLS), and stay, send heartbeats and
read the answers. Then handshakes are made in a row, %d at a time, %s in each round, each with a connection of its own that is ended by close_notify. Beside the
node are the same node over plain TCP, and servers that answer the same frames and know no session, limit or admission. All
have an ECDSA certificate and offer X25519MLKEM768, but for nbio's, whose fork is older. Centrifugo has published 11.6 KB and
2.3 µs a second for each of its connections, of which this table has no counterpart: its clients subscribe.

Bytes a connection are those of the %s clients beyond %s that came before: what a server has once, the code of its handshakes
and the room in which their garbage lies, 70 KB of each, is in neither. They are counted after a collection that gives the
kernel back what is free. The subjects take turns. Nodes and clients share this machine with whatever else is on it: a figure
whose clients were more than 20 ms late is to be doubted.

`, kit.Count(conns), kit.Count(leisurely), kit.Count(brisk), e.open, kit.Count(e.shakes), kit.Count(conns), kit.Count(e.first))
	rows := []kit.Row{{Subject: peers.Ours, Label: "**Stormwheel**, plain TCP"}}
	var hows [][]string
	for _, kind := range peers.TLSes {
		label := kind.Label
		if kind.Name == peers.OursTLS {
			label = "**Stormwheel**, TLS"
		}
		rows = append(rows, kit.Row{Subject: kind.Name, Label: label})
		hows = append(hows, []string{kind.Label, kind.How})
	}
	p.Table([]string{"server", "how it is set up"}, hows)
	byPlain := kit.Comparison{Rows: rows, Ours: peers.OursTLS, Floor: peers.Ours, FloorName: "plain TCP's"}
	byStd := kit.Comparison{Rows: rows[1:], Ours: peers.OursTLS, Floor: peers.StdTLS, FloorName: "crypto/tls's"}
	compare := func(title string, s kit.Step, c kit.Comparison, columns ...kit.Column) {
		c.Columns = columns
		p.Printf("%s:\n\n", title)
		p.Compare(k, s, c)
	}
	for i, b := range e.beats {
		columns := []kit.Column{node.Beats, node.BeatCPU, node.RTTp50, node.RTTp99, node.Late}
		if i == 0 {
			columns = append([]kit.Column{node.Bytes, node.ConnectCPU}, columns...)
		}
		compare(fmt.Sprintf("%s heartbeats a second of %s clients", kit.Count(int(b.rate)), kit.Count(b.conns)), b.step(), byPlain, columns...)
	}
	for _, how := range []string{full, resumed} {
		compare("Handshakes, "+how, kit.Step{Workload: how, Size: e.open}, byStd, shakesCore, shakesRate, shakeP50, shakeP99)
	}
	p.Printf("What a client of the load generator holds: what a process of %s of them has and one of %s does not, both of which came within the same\n"+
		"time, by the clients that it has more:\n\n", kit.Count(e.many), kit.Count(e.few))
	swarm := kit.Step{Workload: clients, Size: e.many}
	p.Compare(k, swarm, kit.Comparison{Columns: []kit.Column{{Title: "bytes", Name: "bytes", Spread: true}},
		Rows: []kit.Row{{Subject: plainClient, Label: "plain TCP"}, {Subject: tlsClient, Label: "TLS"}, {Subject: ticketClient, Label: "TLS, sessions resumed"}}})
	storms, stormTargets, err := e.stormFigures(k)
	if err != nil {
		return err
	}
	if len(storms) > 0 {
		p.Printf("The first of two nodes is killed, and its clients go to the other one:\n\n")
		p.Table(append([]string{"storm"}, kit.StormTitles...), storms)
	}
	p.Targets("figure", append(targets(k, e), stormTargets...))
	return nil
}

func targets(k *kit.Kept, e effort) []kit.Target {
	less := func(x, y float64) float64 { return x - y }
	atRest := e.beats[0].step()
	all := []kit.Target{{What: "memory of an idle TLS connection, above plain TCP's", AtMost: new(float64(mostBytes)), Unit: " B",
		Of: k.Paired(atRest.Of(peers.OursTLS), atRest.Of(peers.Ours), "bytes", less)},
		{What: "memory of an idle TLS connection", AtMost: new(float64(mostAtAll)), Unit: " B", Of: k.Sample(atRest.Of(peers.OursTLS), "bytes")}}
	for _, b := range e.beats {
		s := b.step()
		all = append(all, kit.Target{What: "CPU of a heartbeat at " + kit.Count(int(b.rate)) + " a second, of plain TCP's", AtMost: new(float64(mostCPU)), Unit: "x",
			Of: k.Paired(s.Of(peers.OursTLS), s.Of(peers.Ours), "cpu_us", kit.Ratio)})
	}
	for _, how := range []string{full, resumed} {
		s := kit.Step{Workload: how, Size: e.open}
		all = append(all, kit.Target{What: "handshakes a second a core, " + how + ", by crypto/tls's", AtLeast: new(float64(leastShake)), Unit: "x",
			Of: k.Paired(s.Of(peers.OursTLS), s.Of(peers.StdTLS), "shakes_core", kit.Ratio)})
	}
	return append(all, kit.Target{What: "a TLS client of the load generator, without a ticket", AtMost: new(float64(mostClient)), Unit: " B",
		Of: k.Sample(kit.Step{Workload: clients, Size: e.many, Subject: tlsClient}, "bytes")})
}
