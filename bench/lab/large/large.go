// Package large measures what two processors cannot show: a node with very many connections
// in one process, and one with more event loops.
package large

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// Section is the part of BENCHMARKS.md about a larger machine.
var Section = kit.Section{Name: "large", Title: "A node on a larger machine",
	Code:  []string{"server", "codec", "timingwheel", "bench/lab"},
	Steps: func(k *kit.Kept) []kit.Step { return stepsFor(k, processors()) },
	Alone: alone, Write: write}

// What a larger machine is asked, for it alone can tell. Half of the processors are the
// server's, the other half the clients'.
const (
	loopConns   = 2300   // clients a loop; eight loops fit into a process of 20,000 descriptors
	loopRate    = 25_000 // their heartbeats a second
	loopConnect = 20_000 // connects a second that are offered to a loop
	oneConnect  = 20_000 // connects a second to the one process with very many
)

// effort is how much is measured.
type effort struct {
	rounds int
	conns  int           // of the one process with very many
	warm   time.Duration // after all are connected
	span   time.Duration // in which CPU and answers are counted
}

var efforts = map[string]effort{
	"tiny":  {1, 2000, 200 * time.Millisecond, 2200 * time.Millisecond},
	"short": {1, 100_000, 1500 * time.Millisecond, 4200 * time.Millisecond},
	"full":  {2, 1_000_000, 1500 * time.Millisecond, 4200 * time.Millisecond},
}

func effortOf(e kit.Effort) effort {
	own := efforts[e.Name]
	own.rounds, own.conns = cmp.Or(e.Rounds, own.rounds), cmp.Or(e.Size, own.conns)
	return own
}

// processors are those of the server: the first half.
func processors() int { return runtime.NumCPU() / 2 }

func (e effort) oneStep() kit.Step { return kit.Step{Workload: "one", Size: e.conns} }

func loopStep(loops int) kit.Step {
	return kit.Step{Workload: "loops", Size: loops * loopConns, Rate: float64(loops) * loopRate}
}

// stepsFor are ours and the floor in turn: the loops double up to the processors of the server.
func stepsFor(k *kit.Kept, processors int) []kit.Step {
	e := effortOf(k.Effort)
	kinds := []string{peers.Ours, peers.Floor}
	var all []kit.Step
	for loops := 1; loops <= processors; loops *= 2 {
		all = append(all, kit.Turns(e.rounds, loopStep(loops), kinds, nil)...)
	}
	if why := peers.TooMany(e.conns, e.conns); why != "" {
		k.Note("skipped", "%s connections in one process: %s", kit.Count(e.conns), why)
		return all
	}
	return append(all, kit.Turns(e.rounds, e.oneStep(), kinds, nil)...)
}

// alone makes one step in this process, which keeps to the second half of the processors.
func alone(t kit.Task) (map[string]float64, error) {
	half := processors()
	if half < 1 {
		return nil, errors.New("it takes two processors at least, half of them for the clients")
	}
	if err := machine.Pin(half, half); err != nil {
		return nil, err
	}
	e := effortOf(t.Effort)
	h := node.Holding{Conns: t.Size, Connect: oneConnect, Heartbeat: node.IdleHeartbeat, Warm: e.warm, Span: e.span,
		Processes: 1, Loops: half, Workers: half}
	if t.Workload == "loops" {
		h.Loops = int(t.Rate / loopRate)
		h.Connect, h.Heartbeat = float64(h.Loops)*loopConnect, node.HeartbeatFor(t.Size, t.Rate)
	}
	r := kit.Record{Step: t.Step, Figures: map[string]float64{}}
	err := node.Hold(context.Background(), &r, h)
	return r.Figures, err
}

func write(p *kit.Page, k *kit.Kept) error {
	e := effortOf(k.Effort)
	p.Printf(`One process each, Stormwheel and bare gnet in turn. Half of the processors are the server's, the
other half belong to the clients (as many worker processes). Memory is (RSS with the
connections - RSS of the empty process) / connections, after a forced collection. How late the
clients were is told of the whole run, the rush of their connects included; round trips are of
the time after it.

### %s connections in one process

They come at %s a second, and heartbeat every %v.

`, kit.Count(e.conns), kit.Count(oneConnect), node.IdleHeartbeat)
	for _, line := range k.Notes["skipped"] {
		p.Printf("Not run: %s.\n\n", line)
	}
	if s := e.oneStep(); node.Tried(k, s) {
		node.Compare(p, k, s, node.Bytes,
			kit.Column{Title: "µs CPU a connect", Name: "connect_us"}, kit.Column{Title: "µs CPU a heartbeat", Name: "cpu_us", Ratios: true},
			node.Beats, node.RTTp50, node.RTTp99, node.Late)
	}
	p.Printf(`### As the loops grow

A process with so many event loops on as many processors; %s clients and %s heartbeats a second for
each. What a heartbeat costs must stay flat.

`, kit.Count(loopConns), kit.Count(loopRate))
	for loops := 1; ; loops *= 2 {
		s := loopStep(loops)
		if !node.Tried(k, s) {
			return nil
		}
		p.Printf("**Loops: %d**\n\n", loops)
		node.Compare(p, k, s, node.Beats, node.BeatCPU, node.RTTp50, node.RTTp99, node.Connects,
			kit.Column{Title: "µs CPU a connect", Name: "connect_us", Ratios: true}, node.Late)
	}
}
