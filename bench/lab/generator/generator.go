// Package generator measures the load generator itself: what a simulated client costs in
// memory, how fast clients connect, how late they are.
package generator

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// Section is the part of BENCHMARKS.md about the generator.
var Section = kit.Section{Name: "generator", About: "the load generator itself",
	Code:  []string{"bench", "codec", "internal", "server", "timingwheel"},
	Steps: steps, Measure: measure, Write: write,
	Parts: map[string]kit.Part{"swarm": kit.PartOf(swarm), "plain": kit.PartOf(plain), "bare": kit.PartOf(bare)}}

// effort is how much is measured.
type effort struct {
	repeats int // of memory and lateness
	rounds  int // of connects, which differ more and take a second each

	conns     int           // clients of the process whose memory is measured, and of the lateness
	few       int           // the same process with next to none
	ramp      float64       // connects a second in both
	heartbeat time.Duration // of the memory
	connects  int           // how many connections are made as fast as can be

	pings float64       // a second, of the lateness
	hold  time.Duration // after the ramp
}

var efforts = map[string]effort{
	"full": {repeats: 3, rounds: 9, conns: 15_000, few: 100, ramp: 4000, heartbeat: 4 * time.Second, connects: 10_000,
		pings: 30_000, hold: 30 * time.Second},
	"short": {repeats: 1, rounds: 3, conns: 15_000, few: 100, ramp: 4000, heartbeat: 4 * time.Second, connects: 10_000,
		pings: 30_000, hold: 10 * time.Second},
	"tiny": {repeats: 1, rounds: 1, conns: 300, few: 20, ramp: 1000, heartbeat: 200 * time.Millisecond, connects: 200,
		pings: 1000, hold: 2200 * time.Millisecond},
}

func effortOf(k *kit.Kept) effort {
	e := efforts[k.Effort.Name]
	if n := k.Effort.Rounds; n > 0 {
		e.repeats, e.rounds = n, n
	}
	return e
}

// beat is the heartbeat at which all clients together send so many PINGs a second: a link
// waits for 0.8 to 1.0 of it.
func (e effort) beat() time.Duration {
	return time.Duration(float64(e.conns) / e.pings / 0.9 * float64(time.Second)).Round(time.Millisecond)
}

// settled is how long all clients have been there when their memory is read: each has had
// a heartbeat.
func (e effort) settled() time.Duration { return 2 * e.heartbeat }

// unreached is a rate of connects that nothing here reaches.
const unreached = 1e6

// inFlight is how many connections a bare loop has begun and not finished: fewer than a
// node lets be on their way in.
const inFlight = 256

// dial is what a part is told that makes clients.
type dial struct {
	Target   string
	Protocol string        // swarm; empty: our own
	Conns    int           // clients
	Rate     float64       // connects a second
	Hold     time.Duration // swarm: after the ramp
	Settled  time.Duration // the memory is read so long after the ramp; 0: not at all
	Buffer   int           // plain: bytes of the bufio.Reader
	Hello    bool          // bare: with HELLO and WELCOME
	Dressed  bool          // bare: with the swarm's system calls
}

// client is one of those that are compared, and how its process is started.
type client struct {
	name, label string
	server      string
	part        string
	dial        dial
}

var (
	// holders are the clients whose memory is compared.
	holders = []client{
		{"swarm", "the swarm", peers.Ours, "swarm", dial{}},
		{"plain", "plain Go client", peers.Ours, "plain", dial{Buffer: 4096}}, // bufio's default
		{"lean", "plain Go client, `bufio` of 512 B", peers.Ours, "plain", dial{Buffer: 512}},
	}
	// ways are those of making connections. The handshake is HELLO and WELCOME.
	ways = []client{
		{"bare", "bare loop", peers.Accept, "bare", dial{}},
		{"dressed", "bare loop, the swarm's system calls", peers.Accept, "bare", dial{Dressed: true}},
		{"swarm", "the swarm, `tcp-echo`", peers.Accept, "swarm", dial{Protocol: "tcp-echo", Rate: unreached}},
		{"bare hello", "bare loop, handshake", peers.Ours, "bare", dial{Hello: true}},
		{"dressed hello", "bare loop, handshake, the swarm's system calls", peers.Ours, "bare", dial{Hello: true, Dressed: true}},
		{"swarm hello", "the swarm, handshake", peers.Ours, "swarm", dial{Rate: unreached}},
	}
	// latecomer is the one whose lateness is measured.
	latecomer = client{"swarm", "", peers.Ours, "swarm", dial{}}
)

func names(all []client) (names []string) {
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}

func memoryStep(name string) kit.Step   { return kit.Step{Workload: "memory", Subject: name} }
func connectsStep(name string) kit.Step { return kit.Step{Workload: "connects", Subject: name} }

var lateStep = kit.Step{Workload: "lateness", Subject: latecomer.name}

func steps(k *kit.Kept) []kit.Step {
	e := effortOf(k)
	all := kit.Turns(e.repeats, memoryStep(""), names(holders), nil)
	all = append(all, kit.Turns(e.rounds, connectsStep(""), names(ways), nil)...)
	return append(all, kit.Turns(e.repeats, lateStep, []string{lateStep.Subject}, nil)...)
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	e := effortOf(k)
	switch r.Workload {
	case "memory":
		return e.memory(ctx, r, find(holders, r.Subject))
	case "connects":
		c := find(ways, r.Subject)
		c.dial.Conns = e.connects
		return c.against(ctx, r, 30*time.Second)
	default:
		c := latecomer
		c.dial.Conns, c.dial.Rate, c.dial.Hold = e.conns, e.ramp, e.hold
		return c.against(ctx, r, e.beat())
	}
}

func find(all []client, name string) client {
	for _, c := range all {
		if c.name == name {
			return c
		}
	}
	return client{}
}

// memory is what a process of many clients holds and one of few does not: the slope between
// the two, in bytes, is what each client adds.
func (e effort) memory(ctx context.Context, r *kit.Record, c client) error {
	c.dial.Rate, c.dial.Settled = e.ramp, e.settled()
	var held [2]map[string]float64
	for i, conns := range []int{e.few, e.conns} {
		one := kit.Record{}
		c.dial.Conns = conns
		if err := c.against(ctx, &one, e.heartbeat); err != nil {
			return err
		}
		if held[i] = one.Figures; held[i]["ready"] != float64(conns) || held[i]["collected"] == 0 {
			return fmt.Errorf("%g of %d clients at the end, %g bytes", held[i]["ready"], conns, held[i]["collected"])
		}
	}
	few, many := held[0], held[1]
	const mib = 1 << 20
	r.Figures = map[string]float64{
		"bytes":     (many["collected"] - few["collected"]) / float64(e.conns-e.few),
		"bytes_was": (many["rss"] - few["rss"]) / float64(e.conns-e.few),
		"many_mib":  many["collected"] / mib, "few_mib": few["collected"] / mib,
	}
	return nil
}

// partTime bounds what a part may take.
const partTime = 3 * time.Minute

// against runs a part, aimed at a server that is started for it alone and holds nobody up.
func (c client) against(ctx context.Context, r *kit.Record, heartbeat time.Duration) error {
	s, err := peers.Start(ctx, c.server, "--heartbeat", heartbeat.String(), "--timeout", (10 * heartbeat).String(),
		"--admit-rate", "1000000", "--loops", strconv.Itoa(runtime.GOMAXPROCS(0)))
	if err != nil {
		return err
	}
	defer s.Close()
	c.dial.Target = s.Addr
	return r.From(ctx, partTime, c.part, c.dial)
}
