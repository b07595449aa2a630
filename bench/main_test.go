package bench

import (
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
)

// TestMain is also the main of the worker processes and of the nodes that a run spawns.
func TestMain(m *testing.M) { benchtest.Main(m, Work) }
