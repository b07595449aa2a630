package node

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// effort is how much of each workload is run.
type effort struct {
	kinds []string // that take part, unless subjects are named; empty: all
	// idle, connects, beat, scale, evict and storm are rounds, each of which runs every kind
	// once.
	idle, connects, beat, scale, evict, storm int
	// pairs are the rounds of those in pairKinds at the highest rate, idlePairs those of ours
	// and the floor in the idle workload.
	pairs, idlePairs int
	pairKinds        []string

	conns     int       // of the workloads idle and connect
	beatConns int       // that share the heartbeats
	rates     []float64 // heartbeats a second, ascending
	// counts are the connections of the scale workload, scaleRate its heartbeats a second in
	// all. scaleKinds take part (empty: all), beyond one process ours and the floor, and
	// beyond manyCounts ours alone.
	counts         []int
	scaleRate      float64
	scaleKinds     []string
	silent, living int
	stormConns     int
	connect        float64 // connects a second that are offered
	// warm comes before each window of span; a JVM gets jvmWarm, to compile what is hot.
	warm, jvmWarm, span time.Duration
}

const manyCounts = 100_000

var efforts = map[string]effort{
	"tiny": {kinds: []string{"stormwheel", "gnet"}, idle: 1, connects: 1, beat: 1, scale: 1, evict: 1, storm: 1, pairs: 1, pairKinds: []string{"stormwheel", "gnet"},
		conns: 1000, beatConns: 500, rates: []float64{500, 1000}, counts: []int{500, 1000, 1_000_000_000}, scaleRate: 500,
		silent: 300, living: 100, stormConns: 500, connect: 2000,
		warm: 100 * time.Millisecond, jvmWarm: time.Second, span: 2200 * time.Millisecond},
	"short": {idle: 1, idlePairs: 3, connects: 1, beat: 1, scale: 1, evict: 1, storm: 1, pairs: 9,
		pairKinds: []string{"stormwheel", "gnet"}, scaleKinds: []string{"stormwheel", "gnet"},
		conns: 15_000, beatConns: 10_000, rates: []float64{10_000, 30_000}, counts: []int{1000, 5000, 15_000, 100_000}, scaleRate: 10_000,
		silent: 10_000, living: 2000, stormConns: 5000, connect: 6000,
		warm: time.Second, jvmWarm: 5 * time.Second, span: 4200 * time.Millisecond},
	"full": {idle: 2, idlePairs: 7, connects: 3, beat: 2, scale: 1, evict: 2, storm: 2, pairs: 9,
		pairKinds: []string{"stormwheel", "gnet", "nbio", "go-net", "netty"},
		conns:     15_000, beatConns: 15_000, rates: []float64{10_000, 15_000, 20_000, 30_000},
		counts: []int{1000, 5000, 15_000, 100_000, 500_000, 1_000_000}, scaleRate: 10_000,
		silent: 10_000, living: 2000, stormConns: 10_000, connect: 6000,
		warm: 1500 * time.Millisecond, jvmWarm: 6 * time.Second, span: 4200 * time.Millisecond},
}

// effortOf is that of a run; rounds that it names stand for each of ours.
func effortOf(k *kit.Kept) effort {
	e := efforts[k.Effort.Name]
	if n := k.Effort.Rounds; n > 0 {
		for _, rounds := range []*int{&e.idle, &e.connects, &e.beat, &e.scale, &e.evict, &e.storm, &e.pairs, &e.idlePairs} {
			*rounds = n
		}
	}
	return e
}

// The steps of each workload, of no kind yet.
func (e effort) idleStep() kit.Step    { return kit.Step{Workload: "idle", Size: e.conns} }
func (e effort) connectStep() kit.Step { return kit.Step{Workload: "connect", Size: e.conns} }
func (e effort) evictStep() kit.Step   { return kit.Step{Workload: "evict", Size: e.silent} }
func (e effort) stormStep() kit.Step   { return kit.Step{Workload: "storm", Size: e.stormConns} }

func scaleStep(count int) kit.Step { return kit.Step{Workload: "scale", Size: count} }

func (e effort) beatStep(rate float64) kit.Step {
	return kit.Step{Workload: "beat", Size: e.beatConns, Rate: rate}
}

// topRate is where a server is under full load, top the step of it.
func (e effort) topRate() float64 { return e.rates[len(e.rates)-1] }
func (e effort) top() kit.Step    { return e.beatStep(e.topRate()) }

// HeartbeatFor is the clients' interval for a total rate. A client PINGs after 0.8 to 1.0 of
// it, so that 0.9 is its mean.
func HeartbeatFor(conns int, rate float64) time.Duration {
	return time.Duration(float64(conns) / rate / 0.9 * float64(time.Second))
}
