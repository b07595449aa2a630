package generator

import (
	"os"
	"runtime/debug"

	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// readMemory reads what this process holds, in bytes, counted page by page: as it was, then
// again after a collection whose garbage went back to the kernel. Stacks shrink by half a
// collection, so there are a few.
func readMemory(f map[string]float64) {
	f["rss"] = resident()
	for range 4 {
		debug.FreeOSMemory()
	}
	f["collected"] = resident()
}

// resident is 0 where nobody knows.
func resident() float64 {
	n, _ := proc.Resident(os.Getpid())
	return float64(n)
}
