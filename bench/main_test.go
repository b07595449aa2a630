package bench

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/stormwheel/stormwheel/internal/child"
)

// TestMain is also the main of the worker processes and of the nodes that a run spawns.
func TestMain(m *testing.M) {
	if os.Getenv(asServe) == "parent" {
		becomeParent()
	}
	fakeMain(m, Work)
}

// becomeParent starts a node and a worker, says who they are, and waits to be killed.
func becomeParent() {
	os.Setenv(asServe, "good")
	all, err := spawnNodes(context.Background(), child.Program{Argv: []string{os.Args[0]}}, 1, nil, func(error) {})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	w, err := startWorker(child.Program{Argv: []string{os.Args[0], "bench-worker"}}, 0, swarmConfig{Conns: 1, Rate: 1,
		Endpoints: []netip.AddrPort{netip.MustParseAddrPort(all.nodes[0].addr)}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("children %d %d\n", all.nodes[0].PID, w.PID)
	select {}
}
