package nodes

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/internal/child"
)

func TestASlowNodeStandsStillForItsShareAndIsLeftRunning(t *testing.T) {
	benchtest.LeavesNothing(t)
	t.Setenv(benchtest.AsServe, "good")
	all, err := Spawn(t.Context(), child.Program{Argv: []string{os.Args[0]}}, 1, []string{"--heartbeat", "1s", "--timeout", "3s"}, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Stop()
	nodes, throttled := all.Nodes, Duty{Run: time.Millisecond, Stop: 50 * time.Millisecond}
	lift := Throttle(Duty{Run: time.Millisecond, Stop: time.Hour}, nodes...) // which is which
	benchtest.WaitFor(t, "it stands still", func() bool { return processState(t, nodes[0].PID) == 'T' })
	lift()
	lift = Throttle(throttled, nodes...)
	for _, stopped := range []bool{true, false, true} {
		benchtest.WaitFor(t, fmt.Sprint("it is stopped: ", stopped), func() bool { return (processState(t, nodes[0].PID) == 'T') == stopped })
	}
	lift()
	lift()
	if state := processState(t, nodes[0].PID); state == 'T' || nodes[0].slow.Load() {
		t.Errorf("it is left in state %c", state)
	}
	if lift = Throttle(Duty{}, nodes...); nodes[0].slow.Load() {
		t.Error("a node is slow without --slow")
	}
	lift()
	lift = Throttle(throttled, nodes...)
	nodes[0].End(syscall.SIGKILL)
	nodes[0].Reap()
	lift() // its end is no reason to wait
}

// processState is R, S, T (stopped), Z, ...
func processState(t *testing.T, pid int) byte {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return b[bytes.LastIndexByte(b, ')')+2]
}
