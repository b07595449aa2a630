package fleet

import (
	"os"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
)

// TestMain is also the main of the worker processes and of the nodes that tests start.
func TestMain(m *testing.M) {
	if os.Getenv(benchtest.AsServe) == "parent" {
		becomeParent()
	}
	benchtest.Main(m, Work)
}
