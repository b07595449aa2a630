// Package posts measures messages that other goroutines post to the sessions of one event loop,
// beside a loop of bare gnet that writes as many as it can.
package posts

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Section is the part of BENCHMARKS.md about posts.
var Section = kit.Section{Name: "posts", Title: "Messages from other goroutines",
	Code:  []string{"codec", "internal", "server", "timingwheel", "bench/lab/posts"},
	Steps: steps, Alone: alone, Write: write}

const (
	ours, floor = "stormwheel", "gnet"
	crowdOf     = "clients" // the subject of the process that has the other ends

	bodySize = 32
	fullWait = 200 * time.Microsecond // of a poster whose mailbox is full
	joinTime = 20 * time.Second
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

func steps(k *kit.Kept) []kit.Step {
	var all []kit.Step
	for round := range effortOf(k.Effort).rounds {
		for _, w := range workloads {
			for _, s := range kit.Turns(2, kit.Step{Workload: w.name}, []string{floor, ours}, nil)[round%2*2:][:2] {
				s.Round = round
				all = append(all, s)
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
	flood(w workload, d time.Duration) (messages uint64, err error)
}

// alone runs a server, and in a process beside it the clients.
func alone(t kit.Task) (map[string]float64, error) {
	if t.Subject == crowdOf {
		return clients(t.Target, t.Size)
	}
	w, e := workloadOf(t), effortOf(t.Effort)
	var (
		server flooded
		addr   string
		stop   func()
		figure = map[string]float64{}
	)
	switch t.Subject {
	case ours:
		n, err := startNode()
		if err != nil {
			return nil, err
		}
		server, addr = n, n.Addr()
		stop = func() {
			figure["turn_ms"] = n.Stats().LongestTurn.Seconds() * 1000
			over, cancel := context.WithCancel(context.Background())
			cancel()
			_ = n.Stop(over)
		}
	default:
		b, err := startBare()
		if err != nil {
			return nil, err
		}
		server, addr = b, b.addr
		stop = func() { _ = b.engine.Stop(context.Background()) }
	}
	task, err := json.Marshal(kit.Task{Step: kit.Step{Workload: t.Workload, Subject: crowdOf, Size: w.sessions}, Effort: t.Effort, Target: addr})
	if err != nil {
		return nil, err
	}
	c, _, err := kit.Command("part", "posts", string(task))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	told := make(chan error, 1)
	go func() {
		line, err := c.Start(context.Background(), time.Minute)
		if err == nil {
			err = json.Unmarshal([]byte(line), &figure)
		}
		told <- err
	}()
	for until := time.Now().Add(joinTime); server.joined() < w.sessions; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			return nil, fmt.Errorf("%d of %d clients have come", server.joined(), w.sessions)
		}
		select {
		case err := <-told:
			return nil, fmt.Errorf("the clients have ended: %w", err)
		default:
		}
	}
	time.Sleep(100 * time.Millisecond)
	if file := os.Getenv("POSTS_PROFILE"); file != "" {
		f, _ := os.Create(file)
		_ = pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	messages, err := server.flood(w, e.flood)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if err != nil {
		return nil, err
	}
	stop()
	if err := <-told; err != nil {
		return nil, err
	}
	figure["messages"] = float64(messages) / took.Seconds()
	figure["allocs"] = float64(after.Mallocs-before.Mallocs) / float64(messages)
	return figure, nil
}
