// Package cluster measures nodes that know each other: messages from node to node beside those on one node, the bus
// alone, a room beside another library's, how soon a dead node is noticed, logins and logouts, what grows with the nodes, what a
// cluster costs that has nothing to do, and a storm of the clients of a node that was killed.
package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Section is the part of BENCHMARKS.md about clusters.
var Section = kit.Section{Name: name, Title: "Cluster",
	Code:  []string{"cluster", "codec", "internal", "messaging", "server", "timingwheel", "bench/lab/cluster"},
	Steps: steps, Measure: measure, Alone: alone, Write: write}

const (
	name = "cluster"

	// The workloads.
	pairs    = "pairs"    // users who talk to each other
	oneWay   = "one-way"  // the bus alone
	dead     = "dead"     // nodes that are killed, or frozen
	idle     = "idle"     // nodes without clients
	presence = "presence" // logins and logouts
	storm    = "storm"    // clients of a node that was killed
	growth   = "growth"   // more and more nodes, in virtual time
	words    = "words"    // what they say for a message
	mesh     = "mesh"     // what it costs that something is said
	rooms    = "rooms"    // a room at two nodes, and another library's

	// The subjects.
	same      = "same"      // both are at one node
	other     = "other"     // each is at another node
	bus       = "bus"       // both nodes in one process
	killed    = "killed"    // kill -9
	frozen    = "frozen"    // SIGSTOP
	clustered = "clustered" // one of three nodes
	single    = "single"    // a node of no cluster
	changes   = "changes"
	toAll     = "all"   // each node tells its logins to all
	homed     = "homes" // and to homes alone
	ours      = "stormwheel"
	oursBy    = "stormwheel-nats" // by a NATS that is there
	others    = "centrifuge"
	quick     = "kill"

	contentSize = 200
	pairsRate   = 10_000 // messages a second
	changesRate = 100_000.0 / 60
	stormAdmits = 1000 // clients a second and node
)

type effort struct {
	rounds, storms int
	phase          time.Duration // of each figure
	users          int
	deaths         int
	members        int   // of a room at each of two nodes
	sizes          []int // of clusters
	hubs           []int // of those that have hubs
	clients        int   // of a storm
}

var efforts = map[string]effort{
	"full":  {3, 3, 4 * time.Second, 200, 3, 2_000, []int{3, 10, 16, 32, 100, 500}, []int{3, 10, 100}, 15_000},
	"short": {3, 1, 2 * time.Second, 200, 2, 2_000, []int{3, 10, 16, 32, 100}, []int{3, 10}, 6_000},
	"tiny":  {1, 1, 300 * time.Millisecond, 20, 1, 50, []int{3, 5}, []int{3}, 60},
}

func effortOf(e kit.Effort) effort {
	chosen := efforts[e.Name]
	if e.Rounds > 0 {
		chosen.rounds, chosen.storms = e.Rounds, e.Rounds
	}
	return chosen
}

func steps(k *kit.Kept) (all []kit.Step) {
	e := effortOf(k.Effort)
	turns := func(rounds int, s kit.Step, subjects ...string) {
		all = append(all, kit.Turns(rounds, s, subjects, nil)...)
	}
	turns(e.rounds+1, kit.Step{Workload: pairs}, same, other)
	turns(e.rounds, kit.Step{Workload: oneWay}, bus)
	turns(e.rounds, kit.Step{Workload: rooms}, ours, oursBy, others)
	turns(e.rounds, kit.Step{Workload: dead}, killed, frozen)
	turns(e.rounds, kit.Step{Workload: presence}, changes)
	turns(1, kit.Step{Workload: mesh}, bus)
	for _, size := range e.sizes {
		turns(1, kit.Step{Workload: growth, Size: size}, toAll, homed)
	}
	for _, size := range e.hubs {
		turns(1, kit.Step{Workload: words, Size: size}, toAll, homed)
	}
	turns(1, kit.Step{Workload: idle}, clustered)
	return append(all, kit.Plays([]kit.Play{killOf(k)})...)
}

// killOf is kill -9 of one of three nodes.
func killOf(k *kit.Kept) kit.Play {
	e := effortOf(k.Effort)
	return kit.Play{Step: kit.Step{Workload: storm, Subject: quick}, Rounds: e.storms, Args: strings.Fields(fmt.Sprintf(
		"bench storm --kind kill --spawn 3 --conns %d --heartbeat 20s --timeout 60s --node-arg admit-rate=%d "+
			"--node-arg cluster=nats://embedded --node-arg cluster-listen={cluster} --node-arg cluster-peers={cluster-peers} --node-arg no-cluster-rebalance=true",
		e.clients, stormAdmits))}
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) (err error) {
	switch r.Workload {
	case storm:
		return k.Play(ctx, r, []kit.Play{killOf(k)}, 1)
	case idle:
		r.Figures, err = measureIdle(ctx, k)
		return err
	}
	r.Figures, err = k.Alone(ctx, r.Step, "")
	return err
}

// alone is a process of the laboratory: one that measures, or a node that one of these has started.
func alone(t kit.Task) (map[string]float64, error) {
	measures := map[string]func(kit.Task) (map[string]float64, error){pairs: measurePairs, oneWay: measureOneWay, rooms: measureRooms,
		dead: measureDeath, presence: measurePresence, mesh: measureMesh, growth: measureGrowth, words: measureWords}
	if t.Target != "" {
		return nil, serve(t)
	}
	return measures[t.Workload](t)
}
