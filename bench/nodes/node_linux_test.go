package nodes

import (
	"os"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/internal/child"
)

func TestNodesDoNotInheritOurVariables(t *testing.T) {
	benchtest.LeavesNothing(t)
	t.Setenv(benchtest.AsServe, "good")
	t.Setenv("STORMWHEEL_NODE", "ours")
	all, err := Spawn(t.Context(), child.Program{Argv: []string{os.Args[0]}}, 1, nil, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	all.Stop()
}
