package timingwheel

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestAStaleHandleIsDetected(t *testing.T) {
	w := newWheel(t, Config{Tick: ms})
	seen := map[Handle]bool{}
	id := w.Add(ms)
	for range 70_000 { // the low byte and the next two carry over
		h := w.Handle(id)
		if seen[h] {
			t.Fatalf("handle %#x again", h)
		}
		seen[h] = true
		if got, ok := w.Resolve(h); got != id || !ok || h.ID() != id {
			t.Fatalf("Resolve(%#x): got %d, %v, want %d", h, got, ok, id)
		}
		w.Remove(id)
		for _, h := range []Handle{h, h + 1<<32} { // the next owner's too: it isn't there yet
			if _, ok := w.Resolve(h); ok {
				t.Fatalf("Resolve(%#x) after Remove: got true", h)
			}
		}
		id = w.Add(ms)
		if _, ok := w.Resolve(h); ok {
			t.Fatalf("Resolve(%#x) after reuse: got true", h)
		}
	}
	if _, ok := w.Resolve(math.MaxUint64); ok {
		t.Error("Resolve of a number that was never a handle: got true")
	}
}

func TestFreedIDsAreReusedInTheOrderTheyWereFreed(t *testing.T) {
	w := newWheel(t, Config{})
	for range 5 {
		w.Add(time.Minute)
	}
	for _, id := range []ID{3, 0, 4} {
		w.Remove(id)
		w.Remove(id) // harmless
	}
	for _, want := range []ID{3, 0, 4, 5} {
		if got := w.Add(time.Minute); got != want {
			t.Errorf("Add: got %d, want %d", got, want)
		}
	}
	if err := w.Validate(); err != nil {
		t.Error(err)
	}
}

// The queue of free IDs is a chain of chunks: it must keep the order over all of
// their borders, however far it was read when it grows or becomes empty.
func TestTheOrderOfReuseHoldsOverChunks(t *testing.T) {
	const n = 5 * chunkIDs
	for removed := 0; removed <= n; removed++ {
		w := newWheel(t, Config{Slots: 64})
		for range n {
			w.Add(time.Minute)
		}
		var want []ID
		for _, k := range []int{removed, removed / 2, n - removed, chunkIDs, 1, chunkIDs - 1} {
			for i := range min(k, w.Len()) {
				id := ID((i*7 + k) % n)
				for w.entry(uint32(id)).where == 0 {
					id = (id + 1) % n
				}
				w.Remove(id)
				want = append(want, id)
			}
			if err := w.Validate(); err != nil {
				t.Fatalf("%d removed: %v", removed, err)
			}
			for range (len(want) + 1) / 2 {
				if got := w.Add(time.Minute); got != want[0] {
					t.Fatalf("%d removed: Add gave ID %d, want %d", removed, got, want[0])
				}
				want = want[1:]
			}
			if err := w.Validate(); err != nil {
				t.Fatalf("%d removed: %v", removed, err)
			}
		}
		for len(want) > 0 {
			if got := w.Add(time.Minute); got != want[0] {
				t.Fatalf("%d removed, the rest: Add gave ID %d, want %d", removed, got, want[0])
			}
			want = want[1:]
		}
		if got := w.Add(time.Minute); got != n {
			t.Fatalf("%d removed: none is free, Add gave %d, want %d", removed, got, n)
		}
	}
}

func TestCloseIsIdempotentAndAStaleIDPanicsAfterIt(t *testing.T) {
	w, err := New(Config{Capacity: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	id := w.Add(time.Minute)
	h := w.Handle(id)
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.Resolve(h); ok || w.Len() != 0 {
		t.Error("a closed wheel still has its entry")
	}
	defer func() {
		if recover() == nil {
			t.Error("Touch of a closed wheel: no panic")
		}
	}()
	w.Touch(id)
}
