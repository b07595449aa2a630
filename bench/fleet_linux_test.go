package bench

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// inWorkers is a short run whose clients are in so many processes of this test binary.
func inWorkers(t *testing.T, workers int, kind, scenario string, nodes, conns int) Config {
	cfg := spawned(t, kind, scenario, nodes, conns)
	cfg.Workers, cfg.WorkerCommand = workers, []string{os.Args[0], "bench-worker"}
	return cfg
}

func TestWorkersHoldAsOneSwarmDoes(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := inWorkers(t, 3, "good", "hold", 2, 200) // 67, 67 and 66 clients
	cfg.Duration = 1500 * time.Millisecond
	r, err := Run(t.Context(), cfg, View{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Conns.End != 200 || r.Conns.Peak != 200 || r.Connect.Attempts != 200 || r.Connect.Established != 200 || r.Generator.Workers != 3 {
		t.Errorf("conns %+v, connect %+v, generator %+v; want 200 of each, from 3 workers", r.Conns, r.Connect, r.Generator)
	}
	for i, s := range r.Server {
		if s.Conns == nil || *s.Conns != 100 {
			t.Errorf("node %d holds %v, want 100: the clients are placed evenly", i, s.Conns)
		}
	}
	if r.Heartbeat.Answered < 200 {
		t.Errorf("%d heartbeats answered, want some of each of 200 clients", r.Heartbeat.Answered)
	}
	rtt, err := hdrhistogram.Decode([]byte(r.Detail.Histograms["rtt"]))
	if err != nil || int(rtt.TotalCount()) != r.Heartbeat.Answered {
		t.Errorf("the histogram of round trips: %v, %d entries; want one for each of %d PONGs", err, rtt.TotalCount(), r.Heartbeat.Answered)
	}
	if !slices.ContainsFunc(r.Detail.Seconds, func(s result.Second) bool { return s.Pongs > 0 }) { // the last may be a moment
		t.Errorf("%d seconds in the detail, want the workers' PONGs in them", len(r.Detail.Seconds))
	}
}

// The clients that fall silent, and when each arrives, are the seed's choice alone.
func TestWorkersSilenceTheExactNumber(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := inWorkers(t, 4, "good", "silent", 1, 50)
	cfg.Fraction = 0.1
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Eviction.Expected != 5 || r.Eviction.Observed != 5 {
		t.Errorf("eviction %+v, want 5 of 50", r.Eviction)
	}
}

func TestWorkersComeBackFromAStorm(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := inWorkers(t, 2, "good", "storm", 2, 100)
	cfg.Kind = "kill"
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Storm
	if s == nil || s.Clients != 50 || s.Back != 50 || s.T100S == nil || r.Conns.End != 100 || r.Eviction.False != 0 {
		t.Errorf("storm %+v, conns %+v, eviction %+v; want all 50 of the killed node back", s, r.Conns, r.Eviction)
	}
	back, err := hdrhistogram.Decode([]byte(r.Detail.Histograms["return"]))
	if err != nil || back.TotalCount() != 50 || r.Detail.StormAtS == nil {
		t.Errorf("detail: storm at %v, %d returns, %v; want 50", r.Detail.StormAtS, back.TotalCount(), err)
	}
}

func TestALostWorkerMakesTheRunInvalidAndTheOthersGoOn(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := inWorkers(t, 3, "good", "hold", 1, 90)
	cfg.Duration = 2 * time.Second
	killed := make(chan bool, 1)
	go func() {
		defer close(killed)
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			for _, pid := range workerPids() {
				if conns, err := proc.Process(pid); err == nil && conns.Descriptors > 30 { // its clients are there
					killed <- syscall.Kill(pid, syscall.SIGKILL) == nil
					return
				}
			}
		}
	}()
	r, err := Run(t.Context(), cfg, View{})
	if !<-killed {
		t.Fatal("no worker was found and killed")
	}
	if result.ExitCode(err) != result.ExitInvalid || r == nil || r.Verdict != result.Invalid || r.Generator.LostWorkers != 1 || r.Generator.Valid {
		t.Fatalf("exit %d, %v, result %+v; want it invalid with a lost worker", result.ExitCode(err), err, r)
	}
	if why := *r.Generator.WhyInvalid; !strings.Contains(why, "worker ") || !strings.Contains(why, "signal: killed") {
		t.Errorf("why: %q, want the worker and how it ended", why)
	}
	if r.Conns.End != 60 {
		t.Errorf("%d clients at the end, want the 60 of the others", r.Conns.End)
	}
}

func workerPids() []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if words := strings.Split(string(line), "\x00"); len(words) < 2 || words[0] != os.Args[0] || words[1] != "bench-worker" {
			continue
		}
		var pid int
		for _, digit := range e.Name() {
			pid = pid*10 + int(digit-'0')
		}
		pids = append(pids, pid)
	}
	return pids
}
