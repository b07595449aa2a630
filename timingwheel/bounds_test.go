package timingwheel

import (
	"slices"
	"testing"
	"time"
	"unsafe"
)

func million(t testing.TB) int {
	if testing.Short() {
		return 100_000
	}
	return 1_000_000
}

func TestAMillionExpiredAtOnceKeepTheBudget(t *testing.T) {
	n := million(t)
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	for range n {
		w.Add(20 * ms)
	}
	seen := make([]bool, n)
	for _, b := range []Budget{{Visits: 4096}, {Expiries: 256}, {Visits: 1000, Expiries: 999}} {
		for range 3 {
			before := w.Len()
			p := w.Advance(100*ms, b, func(id ID) time.Duration {
				if seen[id] {
					t.Fatalf("entry %d expired twice", id)
				}
				seen[id] = true
				return Done
			})
			if want := min(cmpOr(b.Visits, n), cmpOr(b.Expiries, n)); p.Called != want || before-w.Len() != want {
				t.Fatalf("%+v: called %d and removed %d, want %d", b, p.Called, before-w.Len(), want)
			}
			if want := 79 * ms; !p.More || p.Debt != want {
				t.Fatalf("%+v: got More %v and debt %v, want %v", b, p.More, p.Debt, want)
			}
		}
	}
	asked := 0
	p := w.Advance(100*ms, Budget{Stop: func() bool { asked++; return asked == 5 }}, done)
	if p.Visited != 5*stopEvery || !p.More {
		t.Fatalf("Stop at the fifth question: got %d visits and More %v, want %d", p.Visited, p.More, 5*stopEvery)
	}
	if p = w.Advance(100*ms, Budget{}, done); w.Len() != 0 || p.More || p.Debt != 0 {
		t.Fatalf("without a budget: %d left, %+v", w.Len(), p)
	}
}

func cmpOr(n, unlimited int) int {
	if n == 0 {
		return unlimited
	}
	return n
}

func TestCatchingUpCostsTheEntriesNotTheTicks(t *testing.T) {
	const n = 1000
	for _, stall := range []time.Duration{64, 65, 128, 1000, 1 << 20, 1 << 34} {
		w := newWheel(t, Config{Tick: ms, Slots: 64})
		for i := range n {
			w.Add(time.Duration(i%60) * ms)
		}
		alive := w.Add(time.Hour)
		w.Observe(stall * ms)
		w.Touch(alive)
		p := w.Advance(stall*ms, Budget{}, done)
		// The one that lives may be met a second time, in the slot that the
		// revolution begins and ends with.
		if p.Called != n || p.Visited > n+2 {
			t.Errorf("stall of %d ticks: got %d visits and %d calls, want %d", stall, p.Visited, p.Called, n)
		}
		if err := w.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestAStallOfARevolutionUnderABudgetReportsItsDebt(t *testing.T) {
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	for range 100 {
		w.Add(10 * ms)
	}
	p := w.Advance(1000*ms, Budget{Visits: 10}, done)
	if want := (1000 - 11) * ms; p.Debt != want {
		t.Errorf("debt: got %v, want %v", p.Debt, want)
	}
	p = w.Advance(5000*ms, Budget{Visits: 10}, done)
	if want := (5000 - 11) * ms; p.Debt != want {
		t.Errorf("debt after a second stall: got %v, want %v", p.Debt, want)
	}
	if p = w.Advance(5000*ms, Budget{}, done); p.Called != 80 || p.More {
		t.Errorf("the rest: got %+v, want 80 calls", p)
	}
}

func TestAStallEvictsNobodyWhoWasTouched(t *testing.T) {
	const n = 10_000
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	for i := range n {
		w.Add(time.Duration(20+i%100) * ms)
	}
	w.Observe(10_000 * ms) // nothing advanced for 156 revolutions
	for id := range ID(n) {
		w.Touch(id)
	}
	if p := w.Advance(10_000*ms, Budget{}, done); p.Called != 0 {
		t.Errorf("got %d called, want none", p.Called)
	}
	if got := len(expire(w, 10_130*ms)); got != n {
		t.Errorf("later: got %d expired, want %d", got, n)
	}
}

func TestAStallBeyondTheTickCountersIsAStall(t *testing.T) {
	for _, stall := range []time.Duration{1<<29 + 5, 1<<30 - 1, 1 << 30, 1<<31 - 1, 1<<31 + 5, 1<<32 + 5, 1 << 40} {
		for _, parts := range []time.Duration{1, 2, 3, 5, 9} { // Observe without Advance
			w := newWheel(t, Config{Tick: ms, Slots: 64, Start: 77 * ms})
			silent, pulled, alive, late := w.Add(50*ms), w.Add(1<<62), w.Add(50*ms), w.Add(50*ms)
			w.Pull(pulled, 1000*ms)
			for part := range parts {
				w.Observe(77*ms + (part+1)*stall*ms/parts)
				w.Touch(alive)
				if err := w.Validate(); err != nil {
					t.Fatalf("%d ticks in %d parts: %v", stall, parts, err)
				}
			}
			w.Pull(late, w.Now()+20*ms) // it is later than the deadline that has passed
			added := w.Add(10 * ms)
			if got := expire(w, w.Now()+ms); len(got) != 3 || !slices.Contains(got, silent) || !slices.Contains(got, pulled) || !slices.Contains(got, late) {
				t.Errorf("after %d ticks in %d parts: got %v called, want %d, %d and %d", stall, parts, got, silent, pulled, late)
			}
			if got := expire(w, w.Now()+100*ms); len(got) != 2 || !slices.Contains(got, alive) || !slices.Contains(got, added) {
				t.Errorf("after %d ticks in %d parts and 100 more: got %v called, want %d and %d", stall, parts, got, alive, added)
			}
		}
	}
}

func TestChurnReusesItsMemory(t *testing.T) {
	w := newWheel(t, Config{Tick: ms})
	fill := func(n int) {
		for i := range n {
			w.Add(time.Duration(10+i%100) * ms)
		}
	}
	fill(1000)
	size := w.Stats().Bytes
	for round := range 300 {
		for id := range ID(1000) {
			w.Remove(id)
		}
		fill(1000)
		if round%3 == 0 {
			w.Advance(w.Now()+200*ms, Budget{}, done)
			fill(1000)
		}
	}
	if got := w.Stats().Bytes; got != size {
		t.Errorf("after churn at a constant number: got %d bytes, had %d", got, size)
	}
}

func TestFreeEntriesCostNoMoreThanFiledOnes(t *testing.T) {
	n := million(t)
	w := newWheel(t, Config{Tick: ms, Capacity: n})
	for range n {
		w.Add(30 * ms)
	}
	size := w.Stats().Bytes
	for id := range ID(n) {
		w.Remove(id)
	}
	// One chunk more at most: half full in the slot, half full in the queue.
	if got := w.Stats().Bytes; got > size+int64(unsafe.Sizeof(chunkBlock{}))+8 {
		t.Errorf("all free: got %d bytes, had %d", got, size)
	}
	if err := w.Validate(); err != nil {
		t.Error(err)
	}
}

func TestEntriesInOneSlotCostNoMoreThanElsewhere(t *testing.T) {
	n := million(t)
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	for range n {
		w.Add(30 * ms)
	}
	// Every second one leaves: the holes are filled, not kept.
	for id := ID(0); int(id) < n; id += 2 {
		w.Remove(id)
	}
	if got, want := w.Stats().Chunks, n/2/chunkIDs+1; got > want {
		t.Errorf("chunks: got %d, want at most %d", got, want)
	}
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := len(expire(w, 31*ms)); got != n/2 {
		t.Errorf("expired: got %d, want %d", got, n/2)
	}
}
