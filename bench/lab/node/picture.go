package node

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// cpuPicture has a bar for each kind at full load.
func (w writer) cpuPicture() string {
	cpu := plot.Bars{
		Title: "CPU of a heartbeat",
		Note: fmt.Sprintf("%s clients, %s heartbeats a second; median of the rounds, line: lowest to highest",
			kit.Count(w.e.beatConns), kit.Number(w.e.topRate())),
		Unit: "µs of one core", Parts: []string{"user", "system"},
	}
	for i, kind := range peers.Kinds {
		at := w.e.top().Of(kind.Name)
		if total := w.k.Sample(at, "cpu_us"); total.N > 0 {
			cpu.Bars = append(cpu.Bars, plot.Bar{Label: kind.Label, Colour: i, Strong: kind.Name == peers.Ours, Low: total.Low, High: total.High,
				Parts: []float64{w.k.Sample(at, "user_us").Median, w.k.Sample(at, "system_us").Median}})
		}
	}
	return plot.SVG(cpu)
}

// memoryGraph has a line for each kind over the connections.
func (w writer) memoryGraph() kit.Graph {
	g := kit.Graph{Title: "Memory of a connection", Note: "(RSS with the clients - RSS without) / clients, after a collection",
		X: "connections, logarithmic", Y: "bytes a connection, logarithmic", Name: "bytes"}
	for _, kind := range peers.Kinds {
		g.Rows = append(g.Rows, kit.Row{Subject: kind.Name, Label: kind.Label})
	}
	for _, count := range w.e.counts {
		g.Steps = append(g.Steps, scaleStep(count))
	}
	return g
}
