package timingwheel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A trace is a string of bytes that says what to do with a wheel and its twin.
// The fuzzer writes them, and so does the model test, from a seed.
type trace struct {
	t     *testing.T
	bytes []byte
	wheel *Wheel
	twin  *twin
	ids   []ID     // of entries that are there, to choose from
	stale []Handle // of entries that are gone
	depth int      // of callbacks within this Advance: bounds their changes
}

func (tr *trace) next() int {
	if len(tr.bytes) == 0 {
		return 0
	}
	b := tr.bytes[0]
	tr.bytes = tr.bytes[1:]
	return int(b)
}

// span is a duration that is often 0 or a whole number of ticks, mostly within
// the ring, sometimes far beyond it.
func (tr *trace) span() time.Duration {
	tick := tr.wheel.tick
	n := time.Duration(tr.next())
	switch tr.next() % 8 {
	case 0:
		return n * tick / 7
	case 1, 2, 3:
		return n * tick / 8
	case 4, 5:
		return n * tick
	case 6:
		return n * 16 * tick
	default:
		if n > 250 {
			return (1<<24 + n) * tick
		}
		return n * n * tick
	}
}

func (tr *trace) pick() (ID, bool) {
	// Entries leave tr.ids lazily.
	for len(tr.ids) > 0 {
		i := tr.next() % len(tr.ids)
		id := tr.ids[i]
		if _, there := tr.twin.entries[id]; there {
			return id, true
		}
		tr.ids[i] = tr.ids[len(tr.ids)-1]
		tr.ids = tr.ids[:len(tr.ids)-1]
	}
	return 0, false
}

func (tr *trace) add() {
	ttl := tr.span()
	id := tr.wheel.Add(ttl)
	tr.twin.add(id, tr.wheel.Handle(id), ttl)
	tr.ids = append(tr.ids, id)
}

func (tr *trace) remove(id ID) {
	tr.stale = append(tr.stale, tr.twin.entries[id].handle)
	tr.wheel.Remove(id)
	delete(tr.twin.entries, id)
}

// change does one thing that a callback may do too.
func (tr *trace) change(id ID, there bool) {
	if !there {
		tr.add()
		return
	}
	switch tr.next() % 8 {
	case 0:
		tr.add()
	case 1, 2:
		tr.wheel.Touch(id)
		tr.twin.entries[id].last = tr.twin.now
	case 3, 4:
		ttl := tr.span()
		tr.wheel.SetTTL(id, ttl)
		tr.twin.changeTTL(id, ttl)
	case 5, 6:
		at := tr.twin.at + tr.span() - 3*tr.wheel.tick
		tr.wheel.Pull(id, at)
		tr.twin.pull(id, at)
	case 7:
		tr.remove(id)
	}
}

// visit is the owner: it checks the call, changes things and chooses a return.
func (tr *trace) visit(id ID) time.Duration {
	e := tr.twin.visit(id)
	handle := e.handle
	if tr.depth++; tr.depth < 100 {
		for range tr.next() % 4 {
			if tr.next()%2 == 0 && tr.twin.entries[id] == e {
				tr.change(id, true)
			} else {
				tr.change(tr.pick())
			}
		}
		if err := tr.wheel.Validate(); err != nil {
			tr.t.Fatalf("in a callback at tick %d: %v", tr.twin.now, err)
		}
	}
	next := Done
	switch tr.next() % 8 {
	case 0, 1:
		next = Rearm
	case 2, 3:
		next = tr.twin.at + tr.span() - 2*tr.wheel.tick
	}
	if tr.twin.entries[id] != e {
		return next // removed: whatever it returns, the ID may have a new owner
	}
	if tr.twin.returned(id, next); next == Done {
		tr.stale = append(tr.stale, handle)
	}
	return next
}

func (tr *trace) step() {
	switch op := tr.next() % 16; {
	case op < 9:
		tr.change(tr.pick())
	case op == 9:
		now := tr.twin.at + tr.span() - 2*tr.wheel.tick // backwards too
		tr.wheel.Observe(now)
		tr.twin.observe(now)
	default:
		now := tr.twin.at + tr.span()
		if op == 10 { // a stall of whole revolutions, exactly or nearly
			now += time.Duration(len(tr.wheel.slots)*(1+tr.next()%4)) * tr.wheel.tick
			now += time.Duration(tr.next()%3-1) * tr.wheel.tick
		}
		var b Budget
		if op >= 13 {
			b = Budget{Visits: tr.next() % 5, Expiries: tr.next() % 3}
			if tr.next()%4 == 0 {
				b.Stop = func() bool { return tr.next()%2 == 0 }
			}
		}
		tr.advance(now, b)
	}
	tr.twin.agree(tr.wheel)
	for _, h := range tr.stale {
		if id, ok := tr.wheel.Resolve(h); ok {
			tr.t.Fatalf("Resolve of stale handle %#x: got %d", h, id)
		}
	}
	if len(tr.stale) > 64 {
		tr.stale = tr.stale[32:]
	}
}

func (tr *trace) advance(now time.Duration, b Budget) {
	tr.twin.observe(now)
	tr.depth = 0
	p := tr.wheel.Advance(now, b, tr.visit)
	if b.Visits > 0 && p.Visited > b.Visits {
		tr.t.Fatalf("visits: got %d, budget %d", p.Visited, b.Visits)
	}
	if b.Expiries > 0 && p.Called > b.Expiries {
		tr.t.Fatalf("calls: got %d, budget %d", p.Called, b.Expiries)
	}
	due, ok := tr.wheel.NextDue()
	if more := ok && due <= tr.twin.at; p.More != more {
		tr.t.Fatalf("More: got %v, but NextDue is %v (%v) at %v", p.More, due, ok, tr.twin.at)
	}
	if (p.Debt > 0) && !p.More || p.Debt < 0 {
		tr.t.Fatalf("Debt: got %v with More %v", p.Debt, p.More)
	}
	if !p.More {
		tr.twin.advanced()
	}
}

// finish lets every entry come to its end, and finds the wheel empty.
func (tr *trace) finish() {
	tr.bytes = nil
	for id, e := range tr.twin.entries {
		if e.never {
			tr.remove(id)
		}
	}
	for range 10 {
		tr.twin.observe(tr.twin.at + 1<<25*tr.wheel.tick)
		tr.wheel.Advance(tr.twin.at, Budget{}, func(id ID) time.Duration {
			tr.twin.visit(id)
			delete(tr.twin.entries, id)
			return Done
		})
		tr.twin.agree(tr.wheel)
		if tr.wheel.Len() == 0 {
			break
		}
	}
	if n := tr.wheel.Len(); n != 0 {
		tr.t.Fatalf("after all deadlines: got %d entries, want none", n)
	}
	if _, ok := tr.wheel.NextDue(); ok {
		tr.t.Fatal("NextDue: an empty wheel has something to do")
	}
	if s := tr.wheel.Stats(); s.Chunks != 0 {
		tr.t.Fatalf("chunks of an empty wheel: got %d, want 0", s.Chunks)
	}
}

func runTrace(t *testing.T, cfg Config, bytes []byte) {
	wheel := newWheel(t, cfg)
	tr := &trace{t: t, bytes: bytes, wheel: wheel, twin: newTwin(t, cfg)}
	for len(tr.bytes) > 0 {
		tr.step()
	}
	tr.finish()
}

// traceConfigs puts the tick counters at 0, just before they wrap, and where
// they turn negative as signed numbers.
var traceConfigs = []Config{
	{Tick: time.Millisecond, Slots: 64},
	{Tick: time.Millisecond, Slots: 64, Start: (1<<32 - 100) * time.Millisecond},
	{Tick: 250 * time.Millisecond, Slots: 128, Start: (1<<31 - 100) * 250 * time.Millisecond, Spread: 10 * time.Second},
	{Tick: 3, Slots: 8192, Start: 1},
}

func TestAgreesWithANaiveTwin(t *testing.T) {
	traces := 40
	if testing.Short() {
		traces = 30
	}
	for i, cfg := range traceConfigs {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			for seed := range uint64(traces) {
				random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(i)})
				bytes := make([]byte, 2000)
				random.Read(bytes)
				runTrace(t, cfg, bytes)
			}
		})
	}
}

func FuzzWheel(f *testing.F) {
	for i := range traceConfigs {
		random := rand.NewChaCha8([32]byte{byte(i)})
		bytes := make([]byte, 300)
		random.Read(bytes)
		f.Add(byte(i), bytes)
	}
	f.Fuzz(func(t *testing.T, config byte, bytes []byte) {
		if len(bytes) > 4000 {
			return
		}
		runTrace(t, traceConfigs[int(config)%len(traceConfigs)], bytes)
	})
}

func newWheel(t testing.TB, cfg Config) *Wheel {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}
