package fleet

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/child"
)

// A parent that is killed takes its nodes and workers along, by the kernel's hand.
func TestNodesAndWorkersDieWithTheirParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), benchtest.AsServe+"=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { parent.Process.Kill(); parent.Wait() }()
	var node, worker int
	if _, err := fmt.Fscanf(out, "children %d %d\n", &node, &worker); err != nil {
		t.Fatal(err)
	}
	if benchtest.Ended(node) || benchtest.Ended(worker) {
		t.Fatal("a child is gone before its parent is killed")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	benchtest.WaitFor(t, "the children are gone too", func() bool { return benchtest.Ended(node) && benchtest.Ended(worker) })
}

// becomeParent starts a node and a worker, says who they are, and waits to be killed.
func becomeParent() {
	os.Setenv(benchtest.AsServe, "good")
	all, err := nodes.Spawn(context.Background(), child.Program{Argv: []string{os.Args[0]}}, 1, nil, func(error) {})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	w, err := startWorker(child.Program{Argv: []string{os.Args[0], "bench-worker"}}, 0, swarm.Config{Conns: 1, Rate: 1,
		Endpoints: []netip.AddrPort{netip.MustParseAddrPort(all.Nodes[0].Addr)}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("children %d %d\n", all.Nodes[0].PID, w.PID)
	select {}
}
