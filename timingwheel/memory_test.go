package timingwheel

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

func TestNothingAllocatesAfterGrowth(t *testing.T) {
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	for range 10_000 { // grow once
		w.Add(time.Duration(w.Len()%200) * ms)
	}
	expire(w, time.Second)
	budget := Budget{Visits: 500, Expiries: 200, Stop: func() bool { return false }}
	visit := func(id ID) time.Duration {
		if id%2 == 0 {
			w.Pull(id, w.Now()+9*ms)
			return Rearm
		}
		return Done
	}
	now := w.Now()
	if got := testing.AllocsPerRun(1000, func() {
		now += ms
		for range 8 {
			id := w.Add(20 * ms)
			w.Touch(id)
			w.SetTTL(id, 10*ms)
			w.Pull(id, now+5*ms)
			if id%5 == 0 {
				w.Remove(id)
			}
			w.Resolve(w.Handle(id))
		}
		w.Advance(now, budget, visit)
		w.NextDue()
		if w.Len() > 5000 {
			w.Advance(now+time.Second, Budget{}, done)
			now = w.Now()
		}
	}); got != 0 {
		t.Errorf("got %v allocations a round, want 0", got)
	}
}

func TestAnEntryCostsAtMost24Bytes(t *testing.T) {
	const n = 1_000_000
	for _, capacity := range []int{0, n} {
		w := newWheel(t, Config{Capacity: capacity})
		// A fleet's slots: 75 s at 250 ms are 300 of them.
		for i := range n {
			if i%(n/300) == 0 {
				w.Observe(w.Now() + 250*ms)
			}
			w.Add(75 * time.Second)
		}
		got := float64(w.Stats().Bytes) / n
		t.Logf("capacity %d: %.2f bytes an entry", capacity, got)
		if got > 24 {
			t.Errorf("capacity %d: got %.2f bytes an entry, want at most 24", capacity, got)
		}
	}
}

func TestTheCollectorScansNothingOfAMillionEntries(t *testing.T) {
	scanned := func() uint64 {
		runtime.GC()
		runtime.GC()
		sample := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before := scanned()
	w := newWheel(t, Config{})
	for range 1_000_000 {
		w.Add(time.Minute)
	}
	after := scanned()
	runtime.KeepAlive(w)
	t.Logf("heap to scan: %d bytes before, %d after", before, after)
	// The tables of blocks: two pointers for each 30,000 entries or so. The rest
	// is the noise of the test's own process.
	if after > before+64<<10 {
		t.Errorf("heap to scan grew by %d bytes, want less than 64 KiB", after-before)
	}
}

// A heartbeat is one store only if the compiler puts it where it's called.
func TestTouchAndObserveInline(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the package")
	}
	out, err := exec.Command("go", "build", "-gcflags=-m", "-o", filepath.Join(t.TempDir(), "p"), ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, method := range []string{"Touch", "Observe", "step", "shrink"} {
		if want := "can inline (*Wheel)." + method + "\n"; !strings.Contains(string(out), want) {
			t.Errorf("the compiler does not say %q", want)
		}
	}
}
