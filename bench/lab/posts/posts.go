// Package posts measures messages that other goroutines post to the sessions of one event loop,
// beside a loop of bare gnet that writes as many as it can.
package posts

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// Section is the part of BENCHMARKS.md about posts.
var Section = kit.Section{Name: name, Title: "Messages from other goroutines",
	Code:  []string{"codec", "internal", "server", "timingwheel", "bench/lab/posts", "bench/lab/flood"},
	Steps: steps, Alone: alone, Write: write}

const (
	name        = "posts"
	ours, floor = "stormwheel", "gnet"
	crowdOf     = "clients" // the subject of the process that has the other ends

	bodySize = 32
	fullWait = 200 * time.Microsecond // of a poster whose mailbox is full
	joinTime = 20 * time.Second
	calm     = 300 * time.Millisecond
)

// workload is to how many sessions is posted, and in which order.
type workload struct {
	name     string
	sessions int
	// apart has the posters go round the sessions together, so that none is posted to again before
	// thousands of others were. Else each message is for one at random.
	apart bool
}

var workloads = []workload{{name: "together", sessions: 100}, {name: "apart", sessions: 8000, apart: true}}

type effort struct {
	rounds int
	flood  time.Duration
	part   int // of the sessions
}

var efforts = map[string]effort{"full": {9, 3 * time.Second, 1}, "short": {5, 2 * time.Second, 1}, "tiny": {1, 300 * time.Millisecond, 20}}

func effortOf(e kit.Effort) effort {
	chosen := efforts[e.Name]
	if e.Rounds > 0 {
		chosen.rounds = e.Rounds
	}
	return chosen
}

// steps are rounds of both workloads, in which both servers take turns.
func steps(k *kit.Kept) []kit.Step {
	var all []kit.Step
	for round := range effortOf(k.Effort).rounds {
		first, second := floor, ours
		if round%2 == 1 {
			first, second = second, first
		}
		for _, w := range workloads {
			for _, subject := range []string{first, second} {
				all = append(all, kit.Step{Workload: w.name, Subject: subject, Round: round})
			}
		}
	}
	return all
}

func workloadOf(t kit.Task) workload {
	w := workloads[0]
	if t.Workload == workloads[1].name {
		w = workloads[1]
	}
	w.sessions /= effortOf(t.Effort).part
	return w
}

// flooded is a server under way.
type flooded interface {
	joined() int
	flood(w workload, d time.Duration) (messages uint64, took time.Duration, err error)
	end(figures map[string]float64)
}

func start(subject string) (s flooded, addr string, err error) {
	if subject == ours {
		n, err := startNode()
		if err != nil {
			return nil, "", err
		}
		return n, n.Addr(), nil
	}
	b, err := startBare()
	if err != nil {
		return nil, "", err
	}
	return b, b.Addr, nil
}

// alone runs a server, and in a process beside it the clients, or is that process.
func alone(t kit.Task) (map[string]float64, error) {
	defer machine.Hurry()() // the clients, too: what else the machine does comes behind both
	if t.Subject == crowdOf {
		return clients(t.Target, t.Size)
	}
	w, figures := workloadOf(t), map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	s, addr, err := start(t.Subject)
	if err != nil {
		return nil, err
	}
	told, end, err := beside(t, addr, w.sessions)
	if err != nil {
		return nil, err
	}
	defer end()
	for until := time.Now().Add(joinTime); s.joined() < w.sessions; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			return nil, fmt.Errorf("%d of %d clients have come", s.joined(), w.sessions)
		}
		select {
		case c := <-told:
			return nil, fmt.Errorf("the clients have ended: %w", c.err)
		default:
		}
	}
	if _, _, err = s.flood(w, effortOf(t.Effort).flood/5); err != nil { // until its buffers have their size
		return nil, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	messages, took, err := s.flood(w, effortOf(t.Effort).flood)
	runtime.ReadMemStats(&after)
	if err != nil {
		return nil, err
	}
	s.end(figures)
	c := <-told
	maps.Copy(figures, c.figures)
	figures["messages"] = float64(messages) / took.Seconds()
	figures["allocs"] = float64(after.Mallocs-before.Mallocs) / float64(messages)
	return figures, c.err
}

// report is what the clients' process says at its end.
type report struct {
	figures map[string]float64
	err     error
}

// beside starts the process of the clients.
func beside(t kit.Task, addr string, sessions int) (told <-chan report, end func(), err error) {
	t.Subject, t.Size, t.Target = crowdOf, sessions, addr
	task, err := json.Marshal(t)
	if err != nil {
		return nil, nil, err
	}
	c, _, err := kit.Command("part", name, string(task))
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan report, 1)
	go func() {
		var r report
		var line string
		if line, r.err = c.Start(context.Background(), time.Minute); r.err == nil {
			r.err = json.Unmarshal([]byte(line), &r.figures)
		}
		ended <- r
	}()
	return ended, c.Close, nil
}
