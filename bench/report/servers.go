package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// cost is what a spawned node used up to a second; nil when nobody read it.
func (r Run) cost(server, second int) *result.ServerSecond {
	if second < 0 || server >= len(r.Result.Detail.Seconds[second].Servers) {
		return nil
	}
	return &r.Result.Detail.Seconds[second].Servers[server]
}

// serverLines has a line of each spawned node; of too many, their extremes. killed is what the name of a
// node that was killed has behind it.
func (r Run) serverLines(killed string, figure func(server, second int) *float64) (layers []plot.Layer, top float64) {
	var lines [][]plot.Point
	for i, server := range r.Result.Server {
		points := r.series(func(second int, _ result.Second) *float64 { return figure(i, second) })
		l := plot.Line{Label: r.serverName(i), Colour: i, Dash: plot.DashOf(i), Points: points}
		if server.Killed {
			l.Label += killed
		}
		if visible(points) {
			layers, lines = append(layers, l), append(lines, points)
		}
	}
	if len(lines) > len(plot.Dashes) {
		layers = extremes(lines)
	}
	return layers, most(lines...)
}

// serverName is what a server is called on the page: as it calls itself, or by its address.
func (r Run) serverName(i int) string {
	server := r.Result.Server[i]
	if server.Node != nil && *server.Node != "" {
		return *server.Node
	}
	return r.shortAddr(server.Addr)
}

// mostNamed is of how many servers the names are explained.
const mostNamed = 8

// serverNames says whose names they are; "": none has one.
func (r Run) serverNames() string {
	var all []string
	for i, server := range r.Result.Server {
		if name := r.serverName(i); name != r.shortAddr(server.Addr) && server.Addr != "" {
			all = append(all, name+" is "+server.Addr)
		}
	}
	if more := len(all) - mostNamed; more > 0 {
		all = append(all[:mostNamed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, ", ")
}

// shortAddr leaves out a host that all servers have.
func (r Run) shortAddr(addr string) string {
	cut := strings.LastIndexByte(addr, ':')
	if cut < 0 {
		return addr
	}
	for _, other := range r.Result.Server {
		if !strings.HasPrefix(other.Addr, addr[:cut+1]) || strings.Contains(other.Addr[cut+1:], ":") {
			return addr
		}
	}
	return addr[cut:]
}

// servers draws a figure of each spawned node; its axis has the unit.
func (r Run) servers(p plot.Picture, unit string, figure func(server, second int) *float64) plot.Chart {
	layers, top := r.serverLines(", until the blow", figure)
	if len(layers) == 0 {
		return nil
	}
	p.Layers, p.X, p.Y = layers, r.timeAxis(), plot.FromZero(unit, 0, top)
	if t0 := r.Result.Detail.StormAtS; t0 != nil {
		p.Layers = append(p.Layers, r.blow(*t0)...)
	}
	return p
}

// extremes stand for more lines than can be told apart. All have the same seconds.
func extremes(lines [][]plot.Point) []plot.Layer {
	var high, mean, low []plot.Point
	for second := range lines[0] {
		x, n, sum, least, greatest := lines[0][second].X, 0.0, 0.0, math.Inf(1), math.Inf(-1)
		for _, points := range lines {
			if y := points[second].Y; plot.Drawable(y) {
				n, sum, least, greatest = n+1, sum+y, min(least, y), max(greatest, y)
			}
		}
		high, mean, low = append(high, plot.At(x, greatest)), append(mean, plot.At(x, sum/n)), append(low, plot.At(x, least))
	}
	return []plot.Layer{
		plot.Line{Label: fmt.Sprintf("greatest of %d nodes", len(lines)), Points: high, Dash: plot.Dashes[1], Colour: 1},
		plot.Line{Label: "mean", Points: mean},
		plot.Line{Label: "least", Points: low, Dash: plot.Dashes[2], Colour: 2},
	}
}

// serverPanels are those of the timeline. Its lines are the seconds themselves, as many as there are.
func (r Run) serverPanels() (all []plot.Panel) {
	for _, of := range []struct {
		title  string
		figure func(server, second int) *float64
	}{{"Servers' connections", r.connsOf}, {"Servers' processor time, % of one", r.cpuOf}, {"Servers' memory, MB", r.memoryOf}} {
		if layers, top := r.serverLines("", of.figure); len(layers) > 0 && top > 0 {
			all = append(all, plot.Panel{Title: of.title, Y: plot.Low("", 0, top), Layers: layers})
		}
	}
	return all
}

func (r Run) connsOf(server, second int) *float64 {
	if c := r.cost(server, second); c != nil && c.Conns != nil {
		return count(*c.Conns)
	}
	return nil
}

func (r Run) memoryOf(server, second int) *float64 {
	if c := r.cost(server, second); c != nil && c.RSSBytes != nil {
		return new(float64(*c.RSSBytes) / 1e6)
	}
	return nil
}

// cpuOf is what a server took since the reading before.
func (r Run) cpuOf(server, second int) *float64 {
	seconds := r.Result.Detail.Seconds
	now, before := r.cost(server, second), r.cost(server, second-1)
	if now == nil || before == nil || now.CPUS == nil || before.CPUS == nil {
		return nil
	}
	if took := seconds[second].T - seconds[second-1].T; took > .5 { // the kernel counts in hundredths
		return new(max(100*(*now.CPUS-*before.CPUS)/took, 0))
	}
	return nil
}

func memory(r Run) plot.Chart {
	return r.servers(plot.Picture{Title: "Memory of the servers", Note: "resident, as the kernel counts it"}, "MB", r.memoryOf)
}

func processor(r Run) plot.Chart {
	return r.servers(plot.Picture{Title: "Processor time of the servers", Note: "user and system, since the reading before; 100 % is one processor"}, "% of a processor", r.cpuOf)
}
