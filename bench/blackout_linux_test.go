package bench

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestAfterABlackoutAllComeBackToNewProcesses(t *testing.T) {
	for workers, nodes := range map[int]int{1: 2, 2: 1} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "storm", nodes, 100)
		cfg.Kind, cfg.Outage = "blackout", 700*time.Millisecond
		cfg.Timeout = 4 * time.Second // a busy machine must not look like a silent client
		var before []string           // the processes
		r, err := Run(t.Context(), untimed(t, cfg), View{Watch: func(u Update) {
			if strings.HasPrefix(u.Event, "steady") {
				before = benchtest.Children(t)
			}
		}})
		if err != nil {
			t.Fatalf("%d nodes: %v", nodes, err)
		}
		s := r.Storm
		if s.Clients != 100 || s.Back != 100 || s.Offline != 100 || r.Conns.End != 100 || r.Eviction.False != 0 || r.Probes != nil {
			t.Errorf("%d nodes: storm %+v, conns %+v; want all hit and back", nodes, s, r.Conns)
		}
		// The ideal begins when a node could accept again.
		if s.OutageS == nil || *s.OutageS < 0.7 || *s.T50S < *s.OutageS || *s.IdealS != *s.OutageS+100/(2000*float64(nodes)) {
			t.Errorf("%d nodes: outage %s, t50 %s, ideal %s s", nodes, result.Number(s.OutageS), result.Number(s.T50S), result.Number(s.IdealS))
		}
		if s.LongestGapS == nil || *s.LongestGapS > 2 || s.DrainS != nil {
			t.Errorf("%d nodes: gap %s, drain %s", nodes, result.Number(s.LongestGapS), result.Number(s.DrainS))
		}
		for i, one := range r.Server {
			if one.Killed || one.PID == nil || one.Conns == nil || len(before) < nodes || slices.Contains(before, strconv.Itoa(*one.PID)) {
				t.Errorf("server %d = %+v; want the new process", i, one)
			}
		}
	}
}

func TestARestartedNodeIsDrainedFirstAndIsThereAgain(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "storm", 2, 200)
	cfg.Kind = "restart"
	cfg.NodeArgs = []string{"drain-grace=100ms"}
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Storm
	if s.Clients != 100 || s.Back != 100 || s.Offline != 0 || *s.OutageS != 0 || s.DrainS == nil || *s.DrainS < 0.1 || r.Server[0].Killed || *r.Server[1].Conns != 200 {
		t.Errorf("storm %+v, drain %s, servers %+v; want that all moved, and nobody waited", s, result.Number(s.DrainS), r.Server)
	}
}

func TestClientsOfTheOnlyNodeComeBackWhenItHasRestarted(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "rude", "storm", 1, 100) // ends by closing: nobody can go anywhere
	cfg.Kind = "restart"
	cfg.NodeArgs = []string{"drain-grace=100ms"}
	cfg.NoPromises = true // the rude one tells no window, so that they knock more often than is promised
	cfg.Thresholds = []string{"conns.end==100", "storm.clients==100", "eviction.false==0"}
	r, err := Run(t.Context(), cfg, View{})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Storm
	if s.Back != 100 || s.Offline != 100 || s.OutageS == nil || s.DrainS == nil || *s.OutageS < *s.DrainS || *s.IdealS != *s.OutageS+100/2000. {
		t.Errorf("storm %+v, outage %s, drain %s, ideal %s", s, result.Number(s.OutageS), result.Number(s.DrainS), result.Number(s.IdealS))
	}
}

func TestABlackoutThatIsInterruptedLeavesNothing(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "storm", 1, 20)
	cfg.Kind, cfg.Outage = "blackout", time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := Run(ctx, cfg, View{Watch: func(u Update) {
		if strings.HasPrefix(u.Event, "kill -9") {
			cancel()
		}
	}})
	if result.ExitCode(err) != result.ExitInterrupted || r.Storm.OutageS != nil || r.Storm.IdealS != nil || r.Storm.LongestGapS != nil {
		t.Errorf("exit %d, storm %+v; want that no receiver ever could accept", result.ExitCode(err), r.Storm)
	}
}

func TestAFloodGetsInAndThoseBeforeItStay(t *testing.T) {
	for workers, slow := range map[int]string{1: "", 2: "2ms/20ms"} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "storm", 2, 200)
		cfg.Kind, cfg.Slow, cfg.Timeout = "flood", slow, 4*time.Second
		cfg.Rate = 0 // all within a second
		r, err := Run(t.Context(), untimed(t, cfg), View{})
		if err != nil {
			t.Fatalf("slow %q: %v", slow, err)
		}
		s := r.Storm
		if s.Clients != 180 || s.Back != 180 || r.Conns.End != 200 || r.Conns.Lost != 0 || *s.AttemptsPerSuccess != 1 || *s.OutageS != 0 || *s.IdealS != 180/4000. {
			t.Errorf("slow %q: storm %+v, conns %+v; want 180 in, by an attempt each", slow, s, r.Conns)
		}
		if p := r.Probes; p == nil || p.Clients != 20 || p.Lost != 0 || p.RTTms.During == nil || p.RTTms.Before == nil {
			t.Errorf("slow %q: probes %+v; want the 20 that were in before", slow, p)
		}
		if *s.T100S < 0.9 || *s.T50S < 0.4 || s.LostConnectionSeconds <= 0 || r.Connect.RatePerS != nil {
			t.Errorf("slow %q: t50 %s, t100 %s; they came within a second", slow, result.Number(s.T50S), result.Number(s.T100S))
		}
		back, sum := 0, 0
		for _, n := range r.Detail.BackPer100ms {
			back += int(n)
		}
		for _, second := range r.Detail.Seconds {
			sum += second.Goodput
		}
		if back != 180 || sum > 180 {
			t.Errorf("slow %q: %d in the bins, %d in the rows; want 180, and no more", slow, back, sum)
		}
	}
}
