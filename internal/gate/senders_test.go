package gate

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stormwheel/stormwheel/codec"
)

func newSenders() *Senders {
	t := new(Senders)
	t.begin(rand.Uint64())
	return t
}

func TestSendersAreToldApart(t *testing.T) {
	all := newSenders()
	alice := all.Join([]byte("alice"), 7)
	if all.Join([]byte("alice"), 7) != alice || all.Find("alice", 7) != alice {
		t.Error("a sender has two windows")
	}
	if all.Join([]byte("alice"), 8) == alice || all.Join([]byte("bob"), 7) == alice {
		t.Error("two senders have one window")
	}
	if all.Find("carol", 7) != nil || all.Len() != 3 {
		t.Errorf("who has sent nothing has a window, or there are %d, want 3", all.Len())
	}
}

// A window outlives its last session by five minutes, and no other session's end counts.
func TestAWindowIsKeptAfterItsLastSession(t *testing.T) {
	all := newSenders()
	id, now := []byte("alice"), time.Hour
	w := all.Join(id, 7)
	w.Take(1, 10, 1)
	all.Join(id, 7)
	all.Leave(w, 10, now)
	now += time.Hour
	if all.Tidy(now); all.Find("alice", 7) != w {
		t.Fatal("it is forgotten while a session is there")
	}
	all.Leave(w, 20, now)
	if all.Tidy(now + sendersKept - 1); all.Join(id, 7) != w {
		t.Fatal("it is forgotten too early")
	}
	if fate, _ := w.Take(1, 30, 2); fate != FateOpen {
		t.Errorf("a repeat is %d, want open", fate)
	}
	if all.Tidy(now + time.Hour); all.Find("alice", 7) != w {
		t.Fatal("it is forgotten although its client is back")
	}
	all.Leave(w, 30, now)
	if all.Tidy(now + sendersKept); all.Find("alice", 7) != nil || all.Len() != 0 {
		t.Error("it is kept for longer than it should be")
	}
	if next := all.Join(id, 7); next == w {
		t.Error("what was forgotten is there again")
	}
}

// However many clients come and go, a bounded number is kept, and those that went last are.
func TestWindowsWithoutASessionAreBounded(t *testing.T) {
	all := newSenders()
	const there = 1000
	for i := range uint64(there) {
		all.Join([]byte("alice"), i)
	}
	random := rand.New(rand.NewPCG(1, 1))
	var gone []uint64
	for range 3 * MaxSendersKept {
		incarnation := random.Uint64()
		gone = append(gone, incarnation)
		all.Leave(all.Join([]byte("bob"), incarnation), 1, time.Duration(len(gone)))
		if all.Len() > there+MaxSendersKept {
			t.Fatalf("%d windows, %d at most may be kept beside %d", all.Len(), MaxSendersKept, there)
		}
	}
	for i := range uint64(there) {
		if all.Find("alice", i) == nil {
			t.Fatal("one whose session is there is forgotten")
		}
	}
	for _, incarnation := range gone[len(gone)-MaxSendersKept*3/4:] {
		if all.Find("bob", incarnation) == nil {
			t.Fatal("one is forgotten that went among the last")
		}
	}
	all.Tidy(time.Hour)
	if all.Len() != there {
		t.Errorf("%d windows are left, want %d", all.Len(), there)
	}
}

// A crowd that has sent and gone leaves nothing behind, not in the maps either.
func TestACrowdOfSendersLeavesNothing(t *testing.T) {
	all := newSenders()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	const crowd = 100_000
	windows := make([]*Sender, crowd)
	for i := range windows {
		windows[i] = all.Join(fmt.Appendf(nil, "client-%07d", i), rand.Uint64())
	}
	each := (heap() - before) / crowd
	for _, w := range windows {
		all.Leave(w, 1, 0)
	}
	windows = nil
	all.Tidy(time.Hour)
	left := max(heap(), before) - before
	t.Logf("%d bytes a sender, its entry and the test's pointer included; the window %d; %d are left of all", each, unsafe.Sizeof(Sender{}), left)
	if each > 400 || left > 1<<20 {
		t.Errorf("%d bytes a sender, %d bytes are left when they have gone", each, left)
	}
	runtime.KeepAlive(all)
}

func BenchmarkTakeAndSettle(b *testing.B) {
	var w Sender
	b.ReportAllocs()
	for n := uint64(1); b.Loop(); n++ {
		w.Take(n, 9, 1)
		w.Settle(span(n, n), Mark{}, nothingToTell)
	}
}

func nothingToTell(uint64, codec.Range) error { return nil }
