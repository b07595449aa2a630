package report

import (
	"fmt"
	"math"

	"github.com/stormwheel/stormwheel/bench"
)

// cost is what a spawned node used up to a second; nil when nobody read it.
func (r Run) cost(server, second int) *bench.ServerSecond {
	if second < 0 || server >= len(r.Result.Detail.Seconds[second].Servers) {
		return nil
	}
	return &r.Result.Detail.Seconds[second].Servers[server]
}

// servers draws a figure of each spawned node.
func (r Run) servers(p picture, figure func(server, second int) *float64) (picture, bool) {
	var lines [][]point
	for i, server := range r.Result.Server {
		points := r.series(func(second int, _ bench.Second) *float64 { return figure(i, second) })
		l := line{label: server.Addr, colour: i, dash: dashOf(i), points: points}
		if server.Node != nil {
			l.label = *server.Node
		}
		if server.Killed {
			l.label += ", until the blow"
		}
		if len(l.parts()) > 0 {
			p.layers, lines = append(p.layers, l), append(lines, points)
		}
	}
	if len(lines) == 0 {
		return p, false
	}
	if len(lines) > len(dashes) {
		p.layers = extremes(lines)
	}
	p.x, p.y = r.timeAxis(), fromZero(p.y.label, 0, most(lines...))
	if t0 := r.Result.Detail.StormAtS; t0 != nil {
		p.layers = append(p.layers, r.blow(*t0)...)
	}
	return p, true
}

// extremes stand for more lines than can be told apart. All have the same seconds.
func extremes(lines [][]point) []layer {
	var high, mean, low []point
	for second := range lines[0] {
		x, n, sum, least, greatest := lines[0][second].x, 0.0, 0.0, math.Inf(1), math.Inf(-1)
		for _, points := range lines {
			if y := points[second].y; drawable(y) {
				n, sum, least, greatest = n+1, sum+y, min(least, y), max(greatest, y)
			}
		}
		high, mean, low = append(high, point{x, greatest}), append(mean, point{x, sum / n}), append(low, point{x, least})
	}
	return []layer{
		line{label: fmt.Sprintf("greatest of %d nodes", len(lines)), points: high, dash: dashes[1], colour: 1},
		line{label: "mean", points: mean},
		line{label: "least", points: low, dash: dashes[2], colour: 2},
	}
}

func memory(r Run) (picture, bool) {
	p := picture{file: "memory", title: "Memory of the servers", note: "resident, as the kernel counts it", y: axis{label: "MB"}}
	return r.servers(p, func(server, second int) *float64 {
		if c := r.cost(server, second); c != nil && c.RSSBytes != nil {
			return new(float64(*c.RSSBytes) / 1e6)
		}
		return nil
	})
}

func processor(r Run) (picture, bool) {
	p := picture{file: "cpu", title: "Processor time of the servers", note: "user and system, since the reading before; 100 % is one processor",
		y: axis{label: "% of a processor"}}
	seconds := r.Result.Detail.Seconds
	return r.servers(p, func(server, second int) *float64 {
		now, before := r.cost(server, second), r.cost(server, second-1)
		if now == nil || before == nil || now.CPUS == nil || before.CPUS == nil {
			return nil
		}
		if took := seconds[second].T - seconds[second-1].T; took > 0 {
			return new(max(100*(*now.CPUS-*before.CPUS)/took, 0))
		}
		return nil
	})
}
