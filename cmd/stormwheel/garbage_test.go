package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// While clients only stay and heartbeat, the one collection of garbage is that which the
// runtime forces every two minutes.
func TestANodeWhoseClientsOnlyHeartbeatCollectsNoGarbage(t *testing.T) {
	n := ready(t, start(t, []string{"GODEBUG=gctrace=1"}, os.Args[0], "serve", "--listen", "127.0.0.1:0",
		"--heartbeat", "200ms", "--timeout", "20s"))
	load := stormwheel(t, "bench", "hold", "--target", n.listen, "--conns", "400", "--duration", "20s", "--no-tui")
	collections := func() int {
		said := "\n" + n.stderr.String()
		return strings.Count(said, "\ngc ") - strings.Count(said, "(forced)")
	}
	reaches := func(second int) { // it says a line each
		t.Helper()
		for deadline := time.Now().Add(patience); strings.Count(load.stderr.String(), " connects/s") < second; {
			if time.Now().After(deadline) {
				t.Fatalf("the load is not at second %d; it said\n%s", second, load.stderr.String())
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	load.untilSaid("all 400 clients are ready")
	in := strings.Count(load.stderr.String(), " connects/s")
	reaches(in + 2)
	before := collections()
	if before == 0 {
		t.Fatalf("no collection at the start: gctrace is not understood; the node said\n%s", n.stderr.String())
	}
	reaches(in + 8) // 12,000 heartbeats later
	after := collections()
	if after == before+1 { // that was of what the arrivals left behind: the next 12,000 tell
		before = after
		reaches(in + 14)
		after = collections()
	}
	if after != before {
		t.Errorf("%d collections while 400 clients only made heartbeats; the node said\n%s", after-before, n.stderr.String())
	}
}
