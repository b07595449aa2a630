// Package cluster measures nodes that know each other: messages from node to node beside those on one node, the bus
// alone, how soon a dead node is noticed, what a cluster costs that has nothing to do, logins and logouts, and a storm of the
// clients of a node that was killed.
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

	// The subjects.
	same      = "same"      // both are at one node
	other     = "other"     // each is at another node
	bus       = "bus"       // both nodes in one process
	killed    = "killed"    // kill -9
	frozen    = "frozen"    // SIGSTOP
	clustered = "clustered" // one of three nodes
	single    = "single"    // a node of no cluster
	changes   = "changes"
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
	clients        int // of a storm
}

var efforts = map[string]effort{
	"full":  {5, 3, 4 * time.Second, 200, 3, 15_000},
	"short": {3, 1, 2 * time.Second, 200, 2, 6_000},
	"tiny":  {1, 1, 300 * time.Millisecond, 20, 1, 60},
}

func effortOf(e kit.Effort) effort {
	chosen := efforts[e.Name]
	if e.Rounds > 0 {
		chosen.rounds, chosen.storms = e.Rounds, e.Rounds
	}
	return chosen
}

func steps(k *kit.Kept) (all []kit.Step) {
	rounds := effortOf(k.Effort).rounds
	all = append(all, kit.Turns(rounds, kit.Step{Workload: pairs}, []string{same, other}, nil)...)
	all = append(all, kit.Turns(rounds, kit.Step{Workload: oneWay}, []string{bus}, nil)...)
	all = append(all, kit.Turns(rounds, kit.Step{Workload: dead}, []string{killed, frozen}, nil)...)
	all = append(all, kit.Turns(rounds, kit.Step{Workload: presence}, []string{changes}, nil)...)
	all = append(all, kit.Turns(1, kit.Step{Workload: idle}, []string{clustered}, nil)...)
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
	switch {
	case t.Target != "":
		return nil, serve(t)
	case t.Workload == pairs:
		return measurePairs(t)
	case t.Workload == oneWay:
		return measureOneWay(t)
	case t.Workload == dead:
		return measureDeath(t)
	default:
		return measurePresence(t)
	}
}
