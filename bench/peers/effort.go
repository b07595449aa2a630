package main

import (
	"fmt"
	"time"
)

// effort is how much of each workload is run.
type effort struct {
	Name string `json:"name"`
	// Idle, Connects, Beat, Scale, Evict and Storm are rounds, each of which runs every kind
	// once.
	Idle     int `json:"idle"`
	Connects int `json:"connects"`
	Beat     int `json:"beat"`
	Scale    int `json:"scale"`
	Evict    int `json:"evict"`
	Storm    int `json:"storm"`
	// Pairs are the rounds of those in PairKinds at the highest rate, IdlePairs those of ours
	// and the floor in the idle workload.
	Pairs     int      `json:"pairs"`
	IdlePairs int      `json:"idle_pairs"`
	PairKinds []string `json:"pair_kinds"`

	Conns     int   `json:"conns"`      // of the workloads idle and connect
	BeatConns int   `json:"beat_conns"` // that share the heartbeats
	Rates     []int `json:"rates"`      // heartbeats a second, ascending
	// Counts are the connections of the scale workload, ScaleRate its heartbeats a second in
	// all. ScaleKinds take part (empty: all), beyond one process ours and the floor, and
	// beyond ManyCounts ours alone.
	Counts     []int    `json:"counts"`
	ScaleRate  int      `json:"scale_rate"`
	ScaleKinds []string `json:"scale_kinds"`
	ManyCounts int      `json:"many_counts"`
	Silent     int      `json:"silent"`
	Living     int      `json:"living"`
	StormConns int      `json:"storm_conns"`
	Connect    float64  `json:"connect"` // connects a second that are offered
	// Warm comes before each window of Span; a JVM gets JVMWarm, to compile what is hot.
	Warm    time.Duration `json:"warm"`
	JVMWarm time.Duration `json:"jvm_warm"`
	Span    time.Duration `json:"span"`
}

var efforts = []effort{
	{Name: "tiny", Idle: 1, Connects: 1, Beat: 1, Scale: 1, Evict: 1, Storm: 1, Pairs: 1,
		PairKinds: []string{"stormwheel", "gnet"},
		Conns:     1000, BeatConns: 500, Rates: []int{500, 1000}, Counts: []int{500, 1000, 1_000_000_000}, ScaleRate: 500, ManyCounts: 100_000,
		Silent: 300, Living: 100, StormConns: 500, Connect: 2000,
		Warm: time.Second, JVMWarm: time.Second, Span: 2200 * time.Millisecond},
	{Name: "short", Idle: 1, IdlePairs: 3, Connects: 1, Beat: 1, Scale: 1, Evict: 1, Storm: 1, Pairs: 9,
		PairKinds: []string{"stormwheel", "gnet"}, ScaleKinds: []string{"stormwheel", "gnet"}, ManyCounts: 100_000,
		Conns: 15_000, BeatConns: 10_000, Rates: []int{10_000, 30_000}, Counts: []int{1000, 5000, 15_000, 100_000}, ScaleRate: 10_000,
		Silent: 10_000, Living: 2000, StormConns: 5000, Connect: 6000,
		Warm: time.Second, JVMWarm: 5 * time.Second, Span: 4200 * time.Millisecond},
	{Name: "full", Idle: 2, IdlePairs: 7, Connects: 3, Beat: 2, Scale: 1, Evict: 2, Storm: 2, Pairs: 9,
		PairKinds: []string{"stormwheel", "gnet", "nbio", "go-net", "netty"},
		Conns:     15_000, BeatConns: 15_000, Rates: []int{10_000, 15_000, 20_000, 30_000},
		Counts: []int{1000, 5000, 15_000, 100_000, 500_000, 1_000_000}, ScaleRate: 10_000, ManyCounts: 100_000,
		Silent: 10_000, Living: 2000, StormConns: 10_000, Connect: 6000,
		Warm: 1500 * time.Millisecond, JVMWarm: 6 * time.Second, Span: 4200 * time.Millisecond},
}

func effortOf(name string) (effort, error) {
	for _, e := range efforts {
		if e.Name == name {
			return e, nil
		}
	}
	return effort{}, fmt.Errorf("no effort %q: tiny, short or full", name)
}

// topRate is where a server is under full load.
func (e effort) topRate() int { return e.Rates[len(e.Rates)-1] }

// top is the step of full load, of no kind yet.
func (e effort) top() step { return step{Workload: "beat", Conns: e.BeatConns, Rate: e.topRate()} }

// heartbeatFor is the clients' interval for a total rate. A client PINGs after 0.8 to 1.0 of
// it, so that 0.9 is its mean.
func heartbeatFor(conns, rate int) time.Duration {
	return time.Duration(float64(conns) / float64(rate) / 0.9 * float64(time.Second))
}
