package cluster_test

import (
	"testing"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/bustest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	bustest.Run(t, func(t *testing.T, nodes int) (all []cluster.Bus) {
		var m cluster.Memory
		for i := range nodes {
			b := m.Bus(bustest.Name(i))
			t.Cleanup(func() { _ = b.Close() })
			all = append(all, b)
		}
		return all
	})
}
