package swarm

import (
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
)

// TestMain is also the main of the nodes that tests spawn.
func TestMain(m *testing.M) { benchtest.Main(m, nil) }
