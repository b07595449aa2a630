package fleet

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

func TestAWorkerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	benchtest.LeavesNothing(t)
	w, err := startWorker(child.Program{Argv: []string{os.Args[0], "bench-worker"}}, 0, swarm.Config{Conns: 1, Rate: 1,
		Endpoints: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := w.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	benchtest.WaitFor(t, "it has stopped", func() bool {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.PID))
		return strings.Contains(string(stat), ") T ")
	})
	if _, err := w.exchange(swarm.Order{Op: swarm.Counts}, 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("a stopped worker: %v, want that it did not answer", err)
	}
}

func TestAWorkerWithAnImpossibleShareSaysWhy(t *testing.T) {
	benchtest.LeavesNothing(t)
	_, err := New(swarm.Config{Conns: 2, Rate: 1}, 2, child.Program{Argv: []string{os.Args[0], "bench-worker"}})
	if err == nil || !strings.Contains(err.Error(), "Endpoints is empty") {
		t.Errorf("workers without endpoints: %v, want the reason", err)
	}
}

// failing is a member whose first order fails.
type failing struct{ closes int }

func (*failing) do(swarm.Order) (swarm.Answer, error) { return swarm.Answer{}, errors.New("broken") }

func (*failing) use() proc.Use { return proc.Use{} }

func (f *failing) close() { f.closes++ }

func TestAMemberThatIsLostIsClosedAndLeavesItsCounts(t *testing.T) {
	m := &failing{}
	f := &Fleet{members: []member{m, gone{}}, latest: make([]swarm.Answer, 2)}
	f.latest[0] = swarm.Answer{Ready: 3, Counters: tally.Counters{Attempts: 7}}
	f.ask(swarm.Order{Op: swarm.Counts})
	f.ask(swarm.Order{Op: swarm.Counts})
	if n := f.ready(); m.closes != 1 || len(f.Lost()) != 1 || n != 0 {
		t.Errorf("closed %d times, lost %v, %d sessions; want once, once and none", m.closes, f.Lost(), n)
	}
	if sum := f.Finish(); sum.Counters.Attempts != 7 {
		t.Errorf("%d attempts in the sum, want those that it told of", sum.Counters.Attempts)
	}
}

// One of two starts; the other says nothing and ends, or no word of ours and stays.
func TestWorkersThatDoNotStartAreNotLeftBehind(t *testing.T) {
	benchtest.LeavesNothing(t)
	for name, other := range map[string]string{"ends": "exit 1", "babbles": `printf '\200'; exec sleep 60`} {
		sh := `if mkdir "$1" 2>/dev/null; then ` + other + `; fi; exec "$2" bench-worker`
		_, err := New(swarm.Config{Conns: 2, Rate: 1, Endpoints: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}},
			2, child.Program{Argv: []string{"sh", "-c", sh, "sh", filepath.Join(t.TempDir(), "first"), os.Args[0]}})
		if err == nil || !strings.Contains(err.Error(), "did not start") {
			t.Errorf("one that %s: %v", name, err)
		}
	}
}

func TestAWorkerThatIsClosedIsGone(t *testing.T) {
	benchtest.LeavesNothing(t)
	w, err := startWorker(child.Program{Argv: []string{os.Args[0], "bench-worker"}}, 0, swarm.Config{Conns: 1, Rate: 1,
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
	case <-time.After(time.Minute):
		w.Kill()
		t.Fatal("a stopped worker is waited for")
	}
	if !benchtest.Ended(w.PID) {
		t.Error("it is not reaped")
	}
}
