// Package fanout measures messages to all of very many sessions: Server.Publish beside a loop of bare
// gnet that writes the same, and beside hubs over WebSocket.
package fanout

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// Section is the part of BENCHMARKS.md about publications.
var Section = kit.Section{Name: name, Title: "Messages to many",
	Code:  []string{"codec", "internal", "server", "timingwheel", "bench/lab/fanout", "bench/lab/flood"},
	Steps: steps, Alone: alone, Write: write}

const (
	name        = "fanout"
	ours, floor = "stormwheel", "gnet"
	hubGWS      = "gws"
	hubOthers   = "centrifuge"
	// OfHub is a room of package messaging, OfRooms one of many nodes that know each other, and OfHistory a channel of
	// centrifuge that keeps what it said: the section about messages has them measured here.
	OfHub     = "stormwheel-room"
	OfRooms   = "stormwheel-rooms"
	OfHistory = "centrifuge-history"
	// Waiting is the workload in which several messages wait.
	Waiting = "ten"
	// Wide is the one of OfRooms: a room whose members are at many nodes.
	Wide = "wide"

	// The roles of the processes beside one that measures.
	nodeOf, crowdOf, probesOf = "node", "members", "probes"

	bodySize = 32
	joinTime = 60 * time.Second
	calm     = 300 * time.Millisecond
)

// mark is a byte that stands in each message, so that messages are counted as they are read.
const mark = '~'

// workload is how the publications follow each other.
type workload struct {
	name  string
	title string
	times int  // publications at once
	depth int  // such that are under way
	beat  bool // heartbeats are what is measured
}

var workloads = []workload{
	{name: "single", title: "one message at a time, until all have it", times: 1, depth: 1},
	{name: Waiting, title: "ten messages wait for each walk", times: 10, depth: 2},
	{name: "beat", title: "heartbeats meanwhile", times: 1, depth: 1, beat: true},
}

type effort struct {
	rounds  int
	others  int // rounds that have the hubs, too
	flood   time.Duration
	members int
	beats   int // rounds in which heartbeats are measured
	beat    int // members meanwhile, of all nodes together
	fit     int // members that a process has descriptors for
}

var efforts = map[string]effort{
	"full":  {7, 2, 3 * time.Second, 10_000, 6, 100_000, 100_000},
	"short": {5, 1, 2 * time.Second, 10_000, 3, 100_000, 100_000},
	"tiny":  {1, 1, 200 * time.Millisecond, 200, 1, 300, 200},
}

func effortOf(e kit.Effort) effort {
	chosen := efforts[e.Name]
	if e.Rounds > 0 {
		chosen.rounds, chosen.beats = e.Rounds, e.Rounds
	}
	if limit, used := machine.Descriptors(); limit > 0 {
		fit := (limit - used) * 9 / 10 // the node has a reserve of its own
		chosen.members, chosen.fit = min(chosen.members, fit), min(chosen.fit, fit)
	}
	return chosen
}

// steps are rounds of each workload, in which the servers take turns.
func steps(k *kit.Kept) (all []kit.Step) {
	e := effortOf(k.Effort)
	for _, w := range workloads {
		subjects, rounds := []string{ours, floor, hubGWS, hubOthers}, e.rounds
		if w.beat {
			subjects, rounds = subjects[:2], e.beats
		}
		all = append(all, kit.Turns(rounds, kit.Step{Workload: w.name}, subjects, func(subject string, round int) bool {
			return subject == ours || subject == floor || round < e.others
		})...)
	}
	return all
}

func workloadOf(t kit.Task) workload {
	for _, w := range workloads {
		if w.name == t.Workload {
			return w
		}
	}
	return workloads[0]
}

// hub is a server under way, with members at the other ends.
type hub interface {
	joined() int
	// gather makes members of all who have joined, if that is still to be done.
	gather(figures map[string]float64) error
	// publish sends body to all members, times times. It may return before all have it.
	publish(body []byte, times int) error
	// marks is how many marks a message has on the wire.
	marks(body []byte) int
	end(figures map[string]float64)
}

// start starts a server. about is what it is to know of others, if there are some.
func start(subject, about string) (h hub, addr string, err error) {
	switch subject {
	case ours:
		return startNode()
	case floor:
		return startBare()
	case hubGWS:
		return startGWS()
	case hubOthers:
		return startCentrifuge(centrifuge.SubscribeOptions{})
	case OfHistory:
		return startCentrifuge(centrifuge.SubscribeOptions{EnableRecovery: true, EnablePositioning: true},
			centrifuge.WithHistory(keptMessages, keptTime))
	case OfHub:
		return startRoom()
	case OfRooms:
		return startRooms(strings.Fields(about))
	default:
		return nil, "", fmt.Errorf("nothing is called %q", subject)
	}
}

// alone runs a server, and in processes beside it the other ends, or is such a process.
func alone(t kit.Task) (map[string]float64, error) {
	w := workloadOf(t)
	role, at, _ := strings.Cut(t.Target, " ")
	switch {
	case !w.beat:
		defer machine.Hurry()() // the clients, too: what else the machine does comes behind both
	case role == probesOf:
		flood.First(2)
	case role == nodeOf:
		flood.First(1)
	}
	switch {
	case role != "":
		return nil, play(t, role, at)
	case t.Workload == Wide:
		return wide(t)
	case w.beat:
		return beat(t)
	}
	e, figures := effortOf(t.Effort), map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	h, addr, err := start(t.Subject, "")
	if err != nil {
		return nil, err
	}
	c, err := startCrew(t, addr, e.members)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := await(h, e.members); err != nil {
		return nil, err
	}
	if err := h.gather(figures); err != nil {
		return nil, err
	}
	f := &flow{hub: h, crew: c, workload: w, members: e.members, body: body()}
	if t.Subject == OfHub || t.Subject == OfHistory {
		f.body = bytes.Repeat([]byte{mark}, bodySize) // so that a mark in an offset or a time is no great matter
	}
	if _, err := f.run(forTime(e.flood / 5)); err != nil { // until its buffers have their size
		return nil, err
	}
	if err := f.measure(e.flood, figures); err != nil {
		return nil, err
	}
	figures["members"] = float64(e.members)
	h.end(figures)
	return figures, nil
}

// play is a process beside another: about says by which connection it is asked, and of which servers.
func play(t kit.Task, role, about string) error {
	control, of, _ := strings.Cut(about, " ")
	conn, err := net.Dial("tcp", control)
	if err != nil {
		return err
	}
	defer conn.Close()
	switch role {
	case nodeOf:
		return serveShare(t, conn, of)
	case probesOf:
		return probeAll(conn, strings.Fields(of))
	default:
		return clients(t, conn, of)
	}
}

// await waits until so many have joined.
func await(h hub, members int) error {
	for until := time.Now().Add(joinTime); h.joined() < members; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			return fmt.Errorf("%d of %d clients have come", h.joined(), members)
		}
	}
	return nil
}

// body is a message.
func body() []byte {
	b := make([]byte, bodySize)
	b[0] = mark
	return b
}
