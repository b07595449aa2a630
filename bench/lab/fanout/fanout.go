// Package fanout measures messages to all of very many sessions: Server.Publish beside a loop of bare
// gnet that writes the same, and beside hubs over WebSocket.
package fanout

import (
	"bytes"
	"fmt"
	"maps"
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
	// OfHub is a room of package messaging, and OfHistory a channel of centrifuge that keeps what it said:
	// the section about messages has them measured here.
	OfHub     = "stormwheel-room"
	OfHistory = "centrifuge-history"
	// Waiting is the workload in which several messages wait.
	Waiting = "ten"

	// The subjects of the processes at the other ends.
	crowdOf, probesOf = "clients", "probes"

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
	beat    int // members while heartbeats are measured; as many as fit
}

var efforts = map[string]effort{
	"full":  {9, 3, 3 * time.Second, 10_000, 100_000},
	"short": {5, 1, 2 * time.Second, 10_000, 100_000},
	"tiny":  {1, 1, 200 * time.Millisecond, 200, 200},
}

func effortOf(e kit.Effort) effort {
	chosen := efforts[e.Name]
	if e.Rounds > 0 {
		chosen.rounds = e.Rounds
	}
	if limit, used := machine.Descriptors(); limit > 0 {
		fit := (limit - used) * 9 / 10 // the node has a reserve of its own
		chosen.members, chosen.beat = min(chosen.members, fit), min(chosen.beat, fit)
	}
	return chosen
}

// steps are rounds of each workload, in which the servers take turns.
func steps(k *kit.Kept) (all []kit.Step) {
	e := effortOf(k.Effort)
	for _, w := range workloads {
		subjects := []string{ours, floor, hubGWS, hubOthers}
		if w.beat {
			subjects = subjects[:2]
		}
		all = append(all, kit.Turns(e.rounds, kit.Step{Workload: w.name}, subjects, func(subject string, round int) bool {
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

func start(subject string) (h hub, addr string, err error) {
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
	default:
		return nil, "", fmt.Errorf("nothing is called %q", subject)
	}
}

// alone runs a server, and in processes beside it the other ends, or is such a process.
func alone(t kit.Task) (map[string]float64, error) {
	defer machine.Hurry()() // the clients, too: what else the machine does comes behind both
	switch {
	case t.Target != "" && t.Rate > 0:
		return probes(t)
	case t.Target != "":
		return nil, clients(t)
	}
	w, e, figures := workloadOf(t), effortOf(t.Effort), map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	h, addr, err := start(t.Subject)
	if err != nil {
		return nil, err
	}
	members := e.members
	if w.beat {
		members = e.beat
	}
	c, err := startCrew(t, addr, members)
	if err != nil {
		return nil, err
	}
	defer c.close()
	for until := time.Now().Add(joinTime); h.joined() < members; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			return nil, fmt.Errorf("%d of %d clients have come", h.joined(), members)
		}
	}
	if err := h.gather(figures); err != nil {
		return nil, err
	}
	f := &flow{hub: h, crew: c, workload: w, members: members, body: body()}
	if t.Subject == OfHub || t.Subject == OfHistory {
		f.body = bytes.Repeat([]byte{mark}, bodySize) // so that a mark in an offset or a time is no great matter
	}
	if _, err := f.run(forTime(e.flood / 5)); err != nil { // until its buffers have their size
		return nil, err
	}
	if w.beat {
		err = f.besideProbes(t, addr, e.flood, figures)
	} else {
		err = f.measure(e.flood, figures)
	}
	if err != nil {
		return nil, err
	}
	figures["members"] = float64(members)
	h.end(figures)
	return figures, nil
}

// body is a message.
func body() []byte {
	b := make([]byte, bodySize)
	b[0] = mark
	return b
}

// flow is publications that follow each other.
type flow struct {
	hub      hub
	crew     *crew
	workload workload
	members  int
	body     []byte
}

func forTime(d time.Duration) (going func() bool) {
	began := time.Now()
	return func() bool { return time.Since(began) < d }
}

// run publishes while going says so, waits until all have all, and says how many messages that
// were, to all members together.
func (f *flow) run(going func() bool) (messages int, err error) {
	if err := f.crew.begin(); err != nil {
		return 0, err
	}
	batch := f.members * f.workload.times
	under := 0 // batches under way
	for going() || under > 0 {
		for ; going() && under < f.workload.depth; under++ {
			if err := f.hub.publish(f.body, f.workload.times); err != nil {
				return 0, err
			}
			messages += batch
		}
		if under == 0 {
			break
		}
		if err := f.crew.wait(batch * f.hub.marks(f.body)); err != nil {
			return 0, err
		}
		under--
	}
	return messages, nil
}

// measure tells the messages a second, by the clock and by the processor time of this process.
func (f *flow) measure(d time.Duration, figures map[string]float64) error {
	before, began := flood.CPU(), time.Now()
	messages, err := f.run(forTime(d))
	took, used := time.Since(began), flood.CPU()-before
	figures["messages"] = float64(messages) / took.Seconds()
	figures["messages_core"] = float64(messages) / used.Seconds()
	figures["busy"] = used.Seconds() / took.Seconds()
	return err
}

// besideProbes tells the round trips of heartbeats without publications, and then with.
func (f *flow) besideProbes(t kit.Task, addr string, d time.Duration, figures map[string]float64) error {
	for _, flows := range []bool{false, true} {
		ended := startProbes(t, addr, d)
		going := true
		var got told
		messages, began := 0, time.Now()
		for going {
			if flows {
				n, err := f.run(func() bool { return len(ended) == 0 })
				if err != nil {
					return err
				}
				messages += n
			}
			select {
			case got = <-ended:
				going = false
			case <-time.After(10 * time.Millisecond):
			}
		}
		if got.err != nil {
			return got.err
		}
		if flows {
			figures["messages"] = float64(messages) / time.Since(began).Seconds()
			maps.Copy(figures, got.figures)
			continue
		}
		for name, v := range got.figures {
			figures["idle_"+name] = v
		}
	}
	if idle := figures["idle_rtt_p99_ms"]; idle > 0 {
		figures["rtt_ratio"] = figures["rtt_p99_ms"] / idle
	}
	return nil
}
