package main

import (
	"math"
	"runtime/debug"
	"strconv"
	"testing"
)

func TestTheOperatorsCollectorSettingsWin(t *testing.T) {
	percent, soft := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(soft) }()

	t.Setenv("GOGC", "77")
	t.Setenv("GOMEMLIMIT", "1GiB")
	if gogc, limit := setCollector(1000); gogc != "77" || limit != "off" {
		t.Errorf("GOGC=77 GOMEMLIMIT=1GiB: reported gogc=%s gomemlimit=%s; want 77, and no limit of ours", gogc, limit)
	}
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("GOGC=77: the percentage was set to %d", got)
	}

	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	if gogc, limit := setCollector(1000); gogc != strconv.Itoa(idleHeapPercent) || limit != "900" {
		t.Errorf("reported gogc=%s gomemlimit=%s, want %d and nine tenths of the limit", gogc, limit, idleHeapPercent)
	}
	if got := debug.SetGCPercent(100); got != idleHeapPercent {
		t.Errorf("the percentage was set to %d, want %d", got, idleHeapPercent)
	}
}
