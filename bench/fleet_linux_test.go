package bench

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// inWorkers is a short run whose clients are in so many processes of this test binary.
func inWorkers(t *testing.T, workers int, kind, scenario string, nodes, conns int) Config {
	cfg := spawned(t, kind, scenario, nodes, conns)
	cfg.Workers, cfg.WorkerCommand = workers, []string{os.Args[0], "bench-worker"}
	return cfg
}

func TestWorkersHoldAsOneSwarmDoes(t *testing.T) {
	leavesNothing(t)
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
	if r.Heartbeat.Answered < 1000 {
		t.Errorf("%d heartbeats answered, want 200 clients' of 1.5 s", r.Heartbeat.Answered)
	}
	rtt, err := hdrhistogram.Decode([]byte(r.Detail.Histograms["rtt"]))
	if err != nil || int(rtt.TotalCount()) != r.Heartbeat.Answered {
		t.Errorf("the histogram of round trips: %v, %d entries; want one for each of %d PONGs", err, rtt.TotalCount(), r.Heartbeat.Answered)
	}
	if n := len(r.Detail.Seconds); n == 0 || r.Detail.Seconds[n-1].Pongs == 0 {
		t.Errorf("%d seconds in the detail, want the workers' PONGs in them", n)
	}
}

// The clients that fall silent, and when each arrives, are the seed's choice alone: the
// rounding of each worker's part must not change their number.
func TestWorkersSilenceTheExactNumber(t *testing.T) {
	leavesNothing(t)
	cfg := inWorkers(t, 4, "good", "silent", 1, 50)
	cfg.Fraction = 0.1
	r, err := Run(t.Context(), cfg, View{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Eviction.Expected != 5 || r.Eviction.Observed != 5 {
		t.Errorf("eviction %+v, want 5 of 50", r.Eviction)
	}
	for _, c := range []struct {
		counts []int
		count  int
	}{{[]int{13, 13, 12, 12}, 5}, {[]int{0, 1, 0}, 1}, {[]int{7}, 4}, {[]int{3, 3, 3}, 0}, {[]int{1, 1, 1, 1}, 2}, {[]int{2, 1}, 9}} {
		all, sum := 0, 0
		for i, n := range c.counts {
			q := quota(c.counts, c.count, i)
			if q < 0 || q > n {
				t.Errorf("quota(%v, %v, %d) = %d, want 0 to %d", c.counts, c.count, i, q, n)
			}
			all, sum = all+n, sum+q
		}
		if sum != min(c.count, all) {
			t.Errorf("quotas of %v of %v add up to %d", c.count, c.counts, sum)
		}
	}
}

func TestWorkersComeBackFromAStorm(t *testing.T) {
	leavesNothing(t)
	cfg := inWorkers(t, 2, "good", "storm", 2, 100)
	cfg.Kind = "kill"
	r, err := Run(t.Context(), cfg, View{})
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
	leavesNothing(t)
	cfg := inWorkers(t, 3, "good", "hold", 1, 90)
	cfg.Duration = 2 * time.Second
	killed := make(chan bool, 1)
	go func() {
		defer close(killed)
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
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
	if ExitCode(err) != ExitInvalid || r == nil || r.Verdict != Invalid || r.Generator.LostWorkers != 1 || r.Generator.Valid {
		t.Fatalf("exit %d, %v, result %+v; want it invalid with a lost worker", ExitCode(err), err, r)
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

func TestAWorkerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	leavesNothing(t)
	w, err := startWorker(child.Program{Argv: []string{os.Args[0], "bench-worker"}}, 0, swarmConfig{Conns: 1, Rate: 1,
		Endpoints: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := w.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := w.exchange(order{Op: opCounts}, 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("a stopped worker: %v, want that it did not answer", err)
	}
}

func TestAWorkerWithAnImpossibleShareSaysWhy(t *testing.T) {
	leavesNothing(t)
	_, err := newFleet(swarmConfig{Conns: 2, Rate: 1}, 2, child.Program{Argv: []string{os.Args[0], "bench-worker"}})
	if err == nil || !strings.Contains(err.Error(), "Endpoints is empty") {
		t.Errorf("workers without endpoints: %v, want the reason", err)
	}
}

// failing is a member whose first order fails.
type failing struct{ closes int }

func (*failing) do(order) (answer, error) { return answer{}, errors.New("broken") }
func (*failing) use() proc.Use            { return proc.Use{} }
func (f *failing) close()                 { f.closes++ }

func TestAMemberThatIsLostIsClosedAndLeavesItsCounts(t *testing.T) {
	m := &failing{}
	f := &fleet{members: []member{m, gone{}}, latest: make([]answer, 2)}
	f.latest[0] = answer{Ready: 3, Counters: counters{Attempts: 7}}
	f.ask(order{Op: opCounts})
	f.ask(order{Op: opCounts})
	if n := f.ready(); m.closes != 1 || len(f.Lost()) != 1 || n != 0 {
		t.Errorf("closed %d times, lost %v, %d sessions; want once, once and none", m.closes, f.Lost(), n)
	}
	if sum := f.Finish(); sum.Counters.Attempts != 7 {
		t.Errorf("%d attempts in the sum, want those that it told of", sum.Counters.Attempts)
	}
}

// One of two starts; the other says nothing and ends, or no word of ours and stays.
func TestWorkersThatDoNotStartAreNotLeftBehind(t *testing.T) {
	leavesNothing(t)
	for name, other := range map[string]string{"ends": "exit 1", "babbles": `printf '\200'; exec sleep 60`} {
		sh := `if mkdir "$1" 2>/dev/null; then ` + other + `; fi; exec "$2" bench-worker`
		_, err := newFleet(swarmConfig{Conns: 2, Rate: 1, Endpoints: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}},
			2, child.Program{Argv: []string{"sh", "-c", sh, "sh", filepath.Join(t.TempDir(), "first"), os.Args[0]}})
		if err == nil || !strings.Contains(err.Error(), "did not start") {
			t.Errorf("one that %s: %v", name, err)
		}
	}
}

func TestAWorkerThatIsClosedIsGone(t *testing.T) {
	leavesNothing(t)
	w, err := startWorker(child.Program{Argv: []string{os.Args[0], "bench-worker"}}, 0, swarmConfig{Conns: 1, Rate: 1,
		Endpoints: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Signal(syscall.SIGSTOP); err != nil { // it does not see the end of its orders
		t.Fatal(err)
	}
	closed := make(chan bool)
	go func() { w.close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		w.Kill()
		t.Fatal("a stopped worker is waited for")
	}
	if !ended(w.PID) {
		t.Error("it is not reaped")
	}
}
