package swarm

import (
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/internal/child"
)

func TestMemoryPerClient(t *testing.T) {
	benchtest.LeavesNothing(t)
	t.Setenv(benchtest.AsServe, "good")
	all, err := nodes.Spawn(t.Context(), child.Program{Argv: []string{os.Args[0]}}, 1,
		[]string{"--heartbeat", "5s", "--timeout", "20s"}, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Stop()
	// Entries and chunks of the wheel are mapped in blocks outside the heap: 24 bytes a
	// client as its package promises. The slope over two sizes leaves fixed costs out.
	const wheelBytes = 24
	const small, large = 500, 4500
	perClient := (heapOf(t, large, all.Nodes[0].Addr)-heapOf(t, small, all.Nodes[0].Addr))/(large-small) + wheelBytes
	t.Logf("%d bytes of user memory per ready client", perClient)
	if perClient > 600 {
		t.Errorf("%d bytes per client, want at most 600", perClient)
	}
	if perClient < 300 {
		t.Errorf("%d bytes per client: less than a link has, so this is not measured", perClient)
	}
}

// heapOf is the live heap that n ready and heartbeating clients add.
func heapOf(t *testing.T, n int, target string) int {
	t.Helper()
	before := liveHeap()
	s, finish := startSwarm(t, n, func(c *Config) {
		c.Loops, c.Endpoints = 1, []netip.AddrPort{netip.MustParseAddrPort(target)}
	})
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == n })
	used := liveHeap() - before
	if got := finish(); got.Ready != n {
		t.Errorf("%d ready at the end, want %d", got.Ready, n)
	}
	return used
}

func liveHeap() int {
	runtime.GC()
	runtime.GC() // what the first one only found to be garbage
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
