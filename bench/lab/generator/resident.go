package generator

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// readMemory reads what this process holds, in bytes: as it was, then again after a collection
// whose garbage went back to the kernel. Stacks shrink by half a collection, so there are a few.
func readMemory(f map[string]float64) {
	f["rss"] = float64(resident())
	for range 4 {
		debug.FreeOSMemory()
	}
	f["collected"] = float64(resident())
}

// resident is this process's resident memory in bytes; 0 where /proc does not tell. It is
// counted page by page: /proc/self/statm is up to a few hundred KiB off.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Rss:"); ok {
			var kib int64
			_, _ = fmt.Sscan(rest, &kib) // what is no number stays 0
			return kib << 10
		}
	}
	return 0
}
