package main

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

// idleHeapPercent is GOGC for a heap that is almost all live and hardly turns over: a
// heartbeat allocates nothing, so collections are as rare as with Go's 100, and what a crowd
// that comes and goes leaves behind is a quarter of the heap and not as much again.
const idleHeapPercent = 25

// setCollector fits the collector to an edge, where the operator has not set it himself, and
// says what holds now. Below a memory limit it keeps the heap under the watcher's marks:
// garbage alone must not make the node refuse clients.
func setCollector(limit int64) (gogc, gomemlimit string) {
	if gogc = os.Getenv("GOGC"); gogc == "" {
		debug.SetGCPercent(idleHeapPercent)
		gogc = strconv.Itoa(idleHeapPercent)
	}
	if limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit / 10 * 9)
	}
	if soft := debug.SetMemoryLimit(-1); soft < math.MaxInt64 {
		return gogc, strconv.FormatInt(soft, 10)
	}
	return gogc, "off"
}
