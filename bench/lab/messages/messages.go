// Package messages measures package messaging as a node runs it: messages that are stored and
// acknowledged, messages between users who are online, and a room beside a channel of centrifuge with
// history and recovery.
package messages

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/fanout"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Section is the part of BENCHMARKS.md about messages.
var Section = kit.Section{Name: name, Title: "Messages between users",
	Code:  []string{"codec", "internal", "messaging", "server", "timingwheel", "bench/lab/messages", "bench/lab/fanout"},
	Steps: steps, Alone: alone, Write: write}

const (
	name      = "messages"
	ours      = "stormwheel"       // a node of one event loop
	oursWide  = "stormwheel-loops" // one of as many as there are processors
	clientsOf = "clients"          // the subject of the process that has the clients

	// The workloads.
	durable = "durable"
	pairs   = "pairs"
	room    = "room"
	wide    = fanout.Wide

	contentSize = 200
	durableRate = 12_000  // messages a second
	pairsRate   = 10_000  // half of what is wanted of a core
	awayUsers   = 100_000 // for whom durable messages are stored
)

type effort struct {
	rounds  int
	phase   time.Duration // of each figure
	senders int           // of durable messages
	online  int           // users that talk to each other
}

var efforts = map[string]effort{
	"full":  {7, 3 * time.Second, 200, 2000},
	"short": {3, 2 * time.Second, 200, 2000},
	"tiny":  {1, 300 * time.Millisecond, 20, 50},
}

func effortOf(e kit.Effort) effort {
	chosen := efforts[e.Name]
	if e.Rounds > 0 {
		chosen.rounds = e.Rounds
	}
	return chosen
}

// steps are rounds of each workload, in which the subjects take turns.
func steps(k *kit.Kept) (all []kit.Step) {
	rounds := effortOf(k.Effort).rounds
	all = append(all, kit.Turns(rounds, kit.Step{Workload: durable}, []string{ours}, nil)...)
	all = append(all, kit.Turns(rounds, kit.Step{Workload: pairs}, []string{ours, oursWide}, nil)...)
	all = append(all, kit.Turns(rounds, kit.Step{Workload: room}, []string{fanout.OfHub, fanout.OfHistory}, nil)...)
	return append(all, kit.Turns(1, kit.Step{Workload: wide}, []string{fanout.OfRooms}, nil)...)
}

// alone runs a node and measures it, or is the process of its clients.
func alone(t kit.Task) (map[string]float64, error) {
	switch {
	case t.Target != "": // those of rooms are of the other section
		return clients(t)
	case t.Workload == room:
		t.Workload = fanout.Waiting
		return fanout.Section.Alone(t)
	case t.Workload == wide:
		return fanout.Section.Alone(t)
	}
	return measure(t)
}
