package wheel

import (
	"runtime"
	"runtime/metrics"
	"time"

	"golang.org/x/sys/unix"
)

// cpu is the processor time of this process so far, all threads, the
// collector's included. Unlike wall time it leaves out what others take.
func cpu() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// timed returns the processor time of f.
func timed(f func()) time.Duration {
	begin := cpu()
	f()
	return cpu() - begin
}

func perOp(d time.Duration, n int) float64 { return float64(d) / float64(max(1, n)) }

// memory is what the collector knows.
type memory struct {
	heap, scan, mallocs uint64
}

func readMemory() memory {
	runtime.GC()
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}}
	metrics.Read(s)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{m.HeapAlloc, s[0].Value.Uint64(), m.Mallocs}
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func since(after, before uint64) float64 { return float64(int64(after - before)) }

// results are measurements by name: an absent one was not taken.
type results map[string]float64
