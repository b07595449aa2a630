// Package generator measures the load generator itself: what a simulated client costs in
// memory, how fast clients connect, how late they are.
package generator

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// Section is the part of BENCHMARKS.md about the generator.
var Section = kit.Section{Name: "generator", Title: "The load generator itself",
	Code:  []string{"bench", "codec", "internal", "server", "timingwheel"},
	Steps: steps, Measure: measure, Alone: alone, Write: write}

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

func effortOf(e kit.Effort) effort {
	own := efforts[e.Name]
	own.repeats, own.rounds = cmp.Or(e.Rounds, own.repeats), cmp.Or(e.Rounds, own.rounds)
	return own
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

// client is one of those that are compared. Each is a process of its own, aimed at a server that
// is started for it alone.
type client struct {
	workload, name string
	label          string // in the table of its workload
	server         string
	run            func(dial) (map[string]float64, error)
	dial           dial
}

// dial is what a client is told.
type dial struct {
	target   string
	protocol string        // swarm; empty: our own
	conns    int           // clients
	rate     float64       // connects a second
	hold     time.Duration // swarm: after the ramp
	settled  time.Duration // the memory is read so long after the ramp; 0: not at all
	buffer   int           // plain: bytes of the bufio.Reader
	hello    bool          // bare: with HELLO and WELCOME
	dressed  bool          // bare: with the swarm's system calls
}

// clients are by workload. The handshake is HELLO and WELCOME.
var clients = []client{
	{"memory", "swarm", "the swarm", peers.Ours, swarm, dial{}},
	{"memory", "plain", "plain Go client", peers.Ours, plain, dial{buffer: 4096}}, // bufio's default
	{"memory", "lean", "plain Go client, `bufio` of 512 B", peers.Ours, plain, dial{buffer: 512}},
	{"connects", "bare", "bare loop", peers.Accept, bare, dial{}},
	{"connects", "dressed", "bare loop, the swarm's system calls", peers.Accept, bare, dial{dressed: true}},
	{"connects", "swarm", "the swarm, `tcp-echo`", peers.Accept, swarm, dial{protocol: "tcp-echo"}},
	{"connects", "bare hello", "bare loop, handshake", peers.Ours, bare, dial{hello: true}},
	{"connects", "dressed hello", "bare loop, handshake, the swarm's system calls", peers.Ours, bare, dial{hello: true, dressed: true}},
	{"connects", "swarm hello", "the swarm, handshake", peers.Ours, swarm, dial{}},
	{"lateness", "swarm", "", peers.Ours, swarm, dial{}},
}

func memoryStep(name string) kit.Step   { return kit.Step{Workload: "memory", Subject: name} }
func connectsStep(name string) kit.Step { return kit.Step{Workload: "connects", Subject: name} }

var lateStep = kit.Step{Workload: "lateness", Subject: "swarm"}

// rows are those of the table of a workload.
func rows(workload string) (all []kit.Row) {
	for _, c := range clients {
		if c.workload == workload {
			all = append(all, kit.Row{Subject: c.name, Label: c.label})
		}
	}
	return all
}

func steps(k *kit.Kept) (all []kit.Step) {
	e := effortOf(k.Effort)
	for _, w := range []struct {
		name   string
		rounds int
	}{{"memory", e.repeats}, {"connects", e.rounds}, {"lateness", e.repeats}} {
		var names []string
		for _, r := range rows(w.name) {
			names = append(names, r.Subject)
		}
		all = append(all, kit.Turns(w.rounds, kit.Step{Workload: w.name}, names, nil)...)
	}
	return all
}

func find(s kit.Step) (client, error) {
	i := slices.IndexFunc(clients, func(c client) bool { return c.workload == s.Workload && c.name == s.Subject })
	if i < 0 {
		return client{}, fmt.Errorf("no client %q of %s", s.Subject, s.Workload)
	}
	return clients[i], nil
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) (err error) {
	e := effortOf(k.Effort)
	s := r.Step
	switch s.Workload {
	case "memory":
		r.Figures, err = e.memory(ctx, k, s)
	case "connects":
		s.Size = e.connects
		r.Figures, err = against(ctx, k, s, 30*time.Second)
	default:
		s.Size = e.conns
		r.Figures, err = against(ctx, k, s, e.beat())
	}
	return err
}

// against has a process of so many clients as the step's size, and a server that holds nobody up.
func against(ctx context.Context, k *kit.Kept, s kit.Step, heartbeat time.Duration) (map[string]float64, error) {
	c, err := find(s)
	if err != nil {
		return nil, err
	}
	server, err := peers.Start(ctx, c.server, "--heartbeat", heartbeat.String(), "--timeout", (10 * heartbeat).String(),
		"--admit-rate", "1000000", "--loops", strconv.Itoa(runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, err
	}
	defer server.Close()
	return k.Alone(ctx, s, server.Addr)
}

// alone is that process.
func alone(t kit.Task) (map[string]float64, error) {
	c, err := find(t.Step)
	if err != nil {
		return nil, err
	}
	e := effortOf(t.Effort)
	d := c.dial
	d.target, d.conns, d.rate = t.Target, t.Size, e.ramp
	switch t.Workload {
	case "memory":
		d.settled = e.settled()
	case "connects":
		d.rate = unreached
	default:
		d.hold = e.hold
	}
	return c.run(d)
}

// memory is what a process of many clients holds and one of few does not: the slope between
// the two, in bytes, is what each client adds.
func (e effort) memory(ctx context.Context, k *kit.Kept, s kit.Step) (map[string]float64, error) {
	var held [2]map[string]float64
	for i, conns := range []int{e.few, e.conns} {
		s.Size = conns
		f, err := against(ctx, k, s, e.heartbeat)
		if err != nil {
			return nil, err
		}
		if f["ready"] != float64(conns) || f["collected"] == 0 {
			return nil, fmt.Errorf("%g of %d clients at the end, %g bytes", f["ready"], conns, f["collected"])
		}
		held[i] = f
	}
	few, many := held[0], held[1]
	const mib = 1 << 20
	return map[string]float64{
		"bytes":     (many["collected"] - few["collected"]) / float64(e.conns-e.few),
		"bytes_was": (many["rss"] - few["rss"]) / float64(e.conns-e.few),
		"many_mib":  many["collected"] / mib, "few_mib": few["collected"] / mib,
	}, nil
}
