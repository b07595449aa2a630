// Package large measures what two processors cannot show: a node with very many connections
// in one process, and one with more event loops.
package large

import (
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
var Section = kit.Section{Name: "large", About: "many connections in one process, and more event loops",
	Code:  []string{"server", "codec", "timingwheel", "bench/lab"},
	Steps: steps, Measure: measure, Write: write,
	Parts: map[string]kit.Part{"large": kit.PartOf(alone)}}

// What a larger machine is asked, for it alone can tell. Half of the processors are the
// server's, the other half the clients'.
const (
	loopConns   = 2300   // clients a loop; eight loops fit into a process of 20,000 descriptors
	loopRate    = 25_000 // their heartbeats a second
	loopConnect = 20_000 // connects a second that are offered to a loop
	oneConnect  = 20_000 // connects a second to the one process with very many
)

// window is how long CPU and answers are counted, after a while of warming up.
type window struct{ Warm, Span time.Duration }

var windows = map[string]window{
	"tiny":  {200 * time.Millisecond, 2200 * time.Millisecond},
	"short": {1500 * time.Millisecond, 4200 * time.Millisecond},
	"full":  {1500 * time.Millisecond, 4200 * time.Millisecond},
}

// sizes of the one process with very many connections.
var sizes = map[string]int{"tiny": 2000, "short": 100_000, "full": 1_000_000}

func size(k *kit.Kept) int {
	if k.Effort.Size > 0 {
		return k.Effort.Size
	}
	return sizes[k.Effort.Name]
}

// processors are those of the server: the first half.
func processors() int { return runtime.NumCPU() / 2 }

func oneStep(k *kit.Kept) kit.Step { return kit.Step{Workload: "one", Size: size(k)} }

func loopStep(loops int) kit.Step {
	return kit.Step{Workload: "loops", Size: loops * loopConns, Rate: float64(loops) * loopRate}
}

// steps are ours and the floor in turn: the loops double up to the processors of the server.
func steps(k *kit.Kept) []kit.Step { return stepsFor(k, processors()) }

func stepsFor(k *kit.Kept, processors int) []kit.Step {
	rounds := k.Effort.Rounds
	if rounds == 0 {
		rounds = map[string]int{"tiny": 1, "short": 1, "full": 2}[k.Effort.Name]
	}
	kinds := []string{peers.Ours, peers.Floor}
	var all []kit.Step
	for loops := 1; loops <= processors; loops *= 2 {
		all = append(all, kit.Turns(rounds, loopStep(loops), kinds, nil)...)
	}
	if why := peers.TooMany(size(k), size(k)); why != "" {
		k.Note("skipped", "%s connections in one process: %s", kit.Count(size(k)), why)
		return all
	}
	return append(all, kit.Turns(rounds, oneStep(k), kinds, nil)...)
}

// limit bounds one step: a million clients come in less than a minute.
const limit = 10 * time.Minute

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	return r.From(ctx, limit, "large", one{r.Step, windows[k.Effort.Name]})
}

// one is what a part measures.
type one struct {
	kit.Step
	Window window
}

// alone makes one step in this process, which keeps to the second half of the processors.
func alone(s one) (map[string]float64, error) {
	half := processors()
	if half < 1 {
		return nil, errors.New("it takes two processors at least, half of them for the clients")
	}
	if err := machine.Pin(half, half); err != nil {
		return nil, err
	}
	h := node.Holding{Conns: s.Size, Connect: oneConnect, Heartbeat: node.IdleHeartbeat, Warm: s.Window.Warm, Span: s.Window.Span,
		Processes: 1, Loops: half, Workers: half}
	if s.Workload == "loops" {
		h.Loops = int(s.Rate / loopRate)
		h.Connect, h.Heartbeat = float64(h.Loops)*loopConnect, node.HeartbeatFor(s.Size, s.Rate)
	}
	r := kit.Record{Step: s.Step, Figures: map[string]float64{}}
	err := node.Hold(context.Background(), &r, h)
	return r.Figures, err
}

func write(p *kit.Page, k *kit.Kept) error {
	p.Printf(`## A node on a larger machine

%s

`+"```\n%s\n```"+`

One process each, Stormwheel and bare gnet in turn. Half of the processors are the server's, the
other half belong to the clients (as many worker processes). Memory is (RSS with the
connections - RSS of the empty process) / connections, after a forced collection. How late the
clients were is told of the whole run, the rush of their connects included; round trips are of
the time after it.

`, k.Where, k.Command)
	p.Printf(`### %s connections in one process

They come at %s a second, and heartbeat every %v.

`, kit.Count(size(k)), kit.Count(oneConnect), node.IdleHeartbeat)
	for _, line := range k.Notes["skipped"] {
		p.Printf("Not run: %s.\n\n", line)
	}
	if s := oneStep(k); tried(k, s) {
		node.Compare(p, k, s,
			kit.Column{Title: "bytes a connection", Name: "bytes", Spread: true, Ratios: true},
			kit.Column{Title: "µs CPU a connect", Name: "connect_us"},
			kit.Column{Title: "µs CPU a heartbeat", Name: "cpu_us", Ratios: true},
			kit.Column{Title: "heartbeats a second", Name: "beats_s"},
			kit.Column{Title: "RTT p50, ms", Name: "rtt_p50"},
			kit.Column{Title: "RTT p99, ms", Name: "rtt_p99", Spread: true},
			kit.Column{Title: "clients late p99, ms", Name: "generator_p99"})
	}
	p.Printf(`### As the loops grow

A process with so many event loops on as many processors; %s clients and %s heartbeats a second for
each. What a heartbeat costs must stay flat.

`, kit.Count(loopConns), kit.Count(loopRate))
	for loops := 1; ; loops *= 2 {
		s := loopStep(loops)
		if !tried(k, s) {
			return nil
		}
		p.Printf("**Loops: %d**\n\n", loops)
		node.Compare(p, k, s,
			kit.Column{Title: "heartbeats a second", Name: "beats_s"},
			kit.Column{Title: "µs CPU a heartbeat", Name: "cpu_us", Spread: true, Ratios: true},
			kit.Column{Title: "RTT p50, ms", Name: "rtt_p50"},
			kit.Column{Title: "RTT p99, ms", Name: "rtt_p99", Spread: true},
			kit.Column{Title: "connects a second", Name: "connect_s", Spread: true},
			kit.Column{Title: "µs CPU a connect", Name: "connect_us", Ratios: true},
			kit.Column{Title: "clients late p99, ms", Name: "generator_p99"})
	}
}

func tried(k *kit.Kept, s kit.Step) bool {
	return k.Tried(s.Of(peers.Ours)) || k.Tried(s.Of(peers.Floor))
}
