package swarm

import (
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

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
	slope := func(change func(*Config)) int {
		return (heapOf(t, large, all.Nodes[0].Addr, change) - heapOf(t, small, all.Nodes[0].Addr, change)) / (large - small)
	}
	perClient := slope(nil) + wheelBytes
	t.Logf("%d bytes of user memory per ready client", perClient)
	if perClient > 600 {
		t.Errorf("%d bytes per client, want at most 600", perClient)
	}
	if perClient < 300 {
		t.Errorf("%d bytes per client: less than a link has, so this is not measured", perClient)
	}
	sending := slope(func(c *Config) { c.Send, c.Every = "100B", 2*time.Second }) + wheelBytes
	t.Logf("%d bytes more of one that sends 100 bytes", sending-perClient)
	if sending-perClient > 350 {
		t.Errorf("%d bytes more of a client that sends 100 bytes, want at most 350", sending-perClient)
	}
	receiving := slope(func(c *Config) { c.Deliver, c.Every = true, time.Second }) + wheelBytes
	if receiving-perClient > 40 {
		t.Errorf("%d bytes more of a client that gets publications, want at most 40", receiving-perClient)
	}
}

// heapOf is the live heap that n ready and heartbeating clients add.
func heapOf(t *testing.T, n int, target string, change func(*Config)) int {
	t.Helper()
	before := liveHeap()
	s, finish := startSwarm(t, n, func(c *Config) {
		c.Loops, c.Endpoints = 1, []netip.AddrPort{netip.MustParseAddrPort(target)}
		if change != nil {
			change(c)
		}
	})
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == n })
	if s.cfg.Send != "" {
		benchtest.WaitFor(t, "all have sent", func() bool { return s.Counts().Messages.Acknowledged >= 2*n })
	} else if s.loops[0].senders != nil {
		t.Error("who sends nothing has something to send")
	}
	used := liveHeap() - before
	for range 4 { // what is on its way at one moment is not at another
		used = min(used, liveHeap()-before)
	}
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
