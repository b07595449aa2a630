package main

import (
	"fmt"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// pictures are the files of docs/img, by name.
func (r *results) pictures() map[string]string {
	e := r.Effort
	cpu := benchdoc.Bars{
		Title: "CPU of a heartbeat",
		Sub: fmt.Sprintf("%s clients, %s heartbeats a second; median of the rounds, line: lowest to highest",
			benchdoc.Grouped(e.BeatConns), benchdoc.Grouped(e.topRate())),
		Unit: "µs of one core", Parts: [2]string{"user", "system"},
	}
	full := e.top()
	for _, kind := range r.kinds(full) {
		rounds := r.of(full.by(kind))
		if len(rounds) == 0 {
			continue
		}
		total := summarise(rounds, "cpu_us")
		bar := benchdoc.Bar{Label: plainLabel(kind), Parts: [2]float64{
			summarise(rounds, "user_us").median, summarise(rounds, "system_us").median}}
		if total.rounds > 1 {
			bar.Low, bar.High = total.low, total.high
		}
		cpu.Bars = append(cpu.Bars, bar)
	}
	memory := benchdoc.Lines{
		Title: "Memory of a connection", Sub: "(RSS with the clients - RSS without) / clients, after a collection",
		XUnit: "connections", YUnit: "bytes a connection",
	}
	for _, k := range kinds {
		line := benchdoc.Line{Label: k.label}
		for _, count := range e.Counts {
			if v := summarise(r.of(step{Workload: "scale", Kind: k.name, Conns: count}), "bytes"); v.median > 0 {
				p := benchdoc.Point{X: float64(count), Y: v.median}
				if v.rounds > 1 && v.low > 0 {
					p.Low, p.High = v.low, v.high
				}
				line.Points = append(line.Points, p)
			}
		}
		memory.Lines = append(memory.Lines, line)
	}
	return map[string]string{"peers-cpu.svg": cpu.SVG(), "peers-bytes.svg": memory.SVG()}
}

func plainLabel(kind string) string {
	k, _ := kindOf(kind)
	return k.label
}
