package node

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// cpuPicture has a bar for each kind at full load.
func (w writer) cpuPicture() string {
	cpu := benchdoc.Bars{
		Title: "CPU of a heartbeat",
		Sub: fmt.Sprintf("%s clients, %s heartbeats a second; median of the rounds, line: lowest to highest",
			kit.Count(w.e.beatConns), kit.Number(w.e.topRate())),
		Unit: "µs of one core", Parts: [2]string{"user", "system"},
	}
	for _, kind := range peers.Kinds {
		at := w.e.top().Of(kind.Name)
		total := w.k.Sample(at, "cpu_us")
		if total.N == 0 {
			continue
		}
		bar := benchdoc.Bar{Label: kind.Label, Parts: [2]float64{w.k.Sample(at, "user_us").Median, w.k.Sample(at, "system_us").Median}}
		if total.N > 1 {
			bar.Low, bar.High = total.Low, total.High
		}
		cpu.Bars = append(cpu.Bars, bar)
	}
	return cpu.SVG()
}

// memoryPicture has a line for each kind over the connections.
func (w writer) memoryPicture() string {
	memory := benchdoc.Lines{
		Title: "Memory of a connection", Sub: "(RSS with the clients - RSS without) / clients, after a collection",
		XUnit: "connections", YUnit: "bytes a connection",
	}
	for _, kind := range peers.Kinds {
		if kind.Label == "" {
			continue
		}
		line := benchdoc.Line{Label: kind.Label}
		for _, count := range w.e.counts {
			v := w.k.Sample(kit.Step{Workload: "scale", Subject: kind.Name, Size: count}, "bytes")
			if v.Median <= 0 {
				continue
			}
			p := benchdoc.Point{X: float64(count), Y: v.Median}
			if v.N > 1 && v.Low > 0 {
				p.Low, p.High = v.Low, v.High
			}
			line.Points = append(line.Points, p)
		}
		memory.Lines = append(memory.Lines, line)
	}
	return memory.SVG()
}
