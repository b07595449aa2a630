package promises

import (
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// size says how large the experiments are.
type size struct {
	live, silent       int           // clients beside each other on one node
	hit, spared        int           // of two nodes, clients of the one that is killed, and of the other
	moved              int           // clients of the node that is drained
	admit, pace        int           // a second: of the node that takes the hit, and the moved
	ramp               int           // connects a second; below both
	heartbeat, timeout time.Duration // of silence; of the others twice as much
	calm               time.Duration // before the blow
	silences, storms   int           // runs; of drains as of storms
	siege              time.Duration // how long the enemies are there
}

// full is as promised. No process may have more than 20,000 descriptors, which is why no
// node has more than 18,000 clients.
var full = size{
	live: 8000, silent: 9000,
	hit: 15_000, spared: 3000,
	moved: 8000,
	admit: 1400, pace: 1000, ramp: 900,
	heartbeat: 2 * time.Second, timeout: 5 * time.Second,
	calm:     10 * time.Second,
	silences: 5, storms: 3,
	siege: time.Minute,
}

// sizes are by effort; tiny takes seconds, and its figures mean nothing.
var sizes = map[string]size{"full": full, "short": short(full), "tiny": {
	live: 120, silent: 130,
	hit: 200, spared: 100,
	moved: 200,
	admit: 400, pace: 400, ramp: 390,
	heartbeat: 500 * time.Millisecond, timeout: 1250 * time.Millisecond,
	calm:     time.Second,
	silences: 2, storms: 1,
	siege: 2 * time.Second,
}}

// short is everything once, and the enemies for seconds.
func short(s size) size {
	s.silences, s.storms, s.siege = 1, 1, 5*time.Second
	return s
}

const silent = "silence"

// silence has all live clients be probes, so that none of their round trips is left out.
func (s size) silence() kit.Play {
	all := s.live + s.silent
	return s.play(silent, s.silences, 1, all, "silent --spawn 1 --fraction "+share(s.silent, all)+" --probes "+share(s.live, all))
}

// killing strands the clients of a node in front of one that has clients already, all of
// them probes.
func (s size) killing() kit.Play {
	all := s.hit + s.spared
	return s.play("storm", s.storms, 2, all, fmt.Sprintf("storm --kind kill --spawn 2 --place first --probes %s --node-arg admit-rate=%d", share(s.spared, all), s.admit))
}

func (s size) draining() kit.Play {
	return s.play("drain", s.storms, 2, s.moved, fmt.Sprintf("storm --kind drain --spawn 2 --place first --probes none --node-arg admit-rate=%d", s.pace))
}

func (s size) play(name string, runs int, slower time.Duration, conns int, flags string) kit.Play {
	return kit.Play{Step: kit.Step{Workload: name, Subject: name}, Rounds: runs, Args: strings.Fields(fmt.Sprintf("bench %s --conns %d --rate %d --heartbeat %v --timeout %v --duration %v",
		flags, conns, s.ramp, slower*s.heartbeat, slower*s.timeout, s.calm))}
}

// share has the digits that give n again when it is multiplied by all.
func share(n, all int) string {
	return strings.TrimRight(fmt.Sprintf("%.6f", float64(n)/float64(all)), "0")
}

// ideal is how long the storm takes if every slot of the receiver is used.
func (s size) ideal() float64 { return float64(s.hit) / float64(s.admit) }

// latest is how many milliseconds after its timeout a silent client must be gone: two ticks
// (serve --tick), and 50 ms for the kernel and for the load test.
const latest = 2*250 + 50

// longestTurn is how many milliseconds a loop may work before it looks at the network again:
// one, and what a close takes that has begun.
const longestTurn = 1.1
