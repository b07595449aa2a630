package scenario

import (
	"time"

	"github.com/stormwheel/stormwheel/internal/child"
)

// Where the processes of a run are many for its machine, they cost more by waking than by what they do
// then. So each of them wakes less.

const (
	// gridShare and widestGrid bound the grid on which PINGs of a crowd are due: a client draws its times
	// from a fifth of the heartbeat, of which that is a small part.
	gridShare  = 1024
	widestGrid = 64 * time.Millisecond

	// nodeSlack is by how much the monitor thread of a node in a crowd may oversleep. What waits for it, as
	// the node's ticker and its admin listener do while the loop sleeps, comes later by twice that at most.
	nodeSlack = 8 * time.Millisecond
)

// Crowded says whether the run's processes are many for this machine.
func (p *Plan) Crowded() bool { return child.Crowded(p.Spawn + p.Workers) }

// nodeProgram is how its nodes are started.
func (p *Plan) nodeProgram(argv []string) child.Program {
	program := child.Program{Argv: argv, Crowded: p.Crowded()}
	if program.Crowded {
		program.Slack = nodeSlack
	}
	return program
}

// PingGrid has the PINGs of the clients be due at its multiples; 0: whenever they have drawn.
func (p *Plan) PingGrid() time.Duration {
	if !p.Crowded() {
		return 0
	}
	return min(p.Heartbeat/gridShare, widestGrid).Truncate(time.Millisecond)
}

// paired are workers of a crowd, some more if need be, of which each has its clients on few nodes, and
// each node on few workers: what one sends together, few wake for. In a storm the clients of the node that
// is struck are to be everybody's.
func (p *Plan) paired(workers int) int {
	if p.Place != "even" || p.storms() || !child.Crowded(p.Spawn+workers) {
		return workers
	}
	most := min(maxWorkers, p.Conns, 2*workers)
	for n := workers; n <= most; n++ {
		if p.Spawn%n == 0 || n%p.Spawn == 0 {
			return n
		}
	}
	return workers
}
