package timingwheel

import (
	"math"
	"testing"
	"time"
)

// twin is a wheel that anybody can check by reading: a map, looked through whole.
type twin struct {
	t       *testing.T
	tick    time.Duration
	now     int64 // tick
	at      time.Duration
	entries map[ID]*twinEntry
}

type twinEntry struct {
	handle    Handle
	last, ttl int64 // ticks
	never     bool
	asked     bool
	want      int64 // tick
	postponed bool
	notBefore int64 // SetTTL made it late: the wheel may take until this tick
}

func newTwin(t *testing.T, cfg Config) *twin {
	cfg = cfg.withDefaults()
	return &twin{t, cfg.Tick, int64(cfg.Start / cfg.Tick), cfg.Start, map[ID]*twinEntry{}}
}

// due says whether the owner must be called now.
func (e *twinEntry) due(now int64) bool {
	if e.asked && e.want <= now {
		return true
	}
	return !e.postponed && !e.never && e.deadline() <= now
}

func (e *twinEntry) deadline() int64 { return e.last + 1 + e.ttl }

func (w *twin) observe(now time.Duration) {
	if now > w.at {
		w.at, w.now = now, int64(now/w.tick)
	}
}

func (w *twin) setTTL(e *twinEntry, ttl time.Duration) {
	e.ttl = int64(max(0, ttl) / w.tick)
	if time.Duration(e.ttl)*w.tick < ttl {
		e.ttl++
	}
	e.never = e.ttl >= 1<<24-1
}

func (w *twin) add(id ID, h Handle, ttl time.Duration) {
	if _, there := w.entries[id]; there {
		w.t.Fatalf("Add gave ID %d, which is in use", id)
	}
	e := &twinEntry{handle: h, last: w.now}
	w.setTTL(e, ttl)
	w.entries[id] = e
}

func (w *twin) changeTTL(id ID, ttl time.Duration) {
	e := w.entries[id]
	w.setTTL(e, ttl)
	e.postponed = false
	if e.deadline() <= w.now {
		e.notBefore = w.now + 1
	}
}

func (w *twin) pull(id ID, at time.Duration) {
	e := w.entries[id]
	want := int64(max(0, at) / w.tick)
	if time.Duration(want)*w.tick < at {
		want++
	}
	w.ask(e, min(max(want, w.now+1), w.now+1<<30))
}

func (w *twin) ask(e *twinEntry, want int64) {
	if !e.asked || want < e.want {
		e.asked, e.want = true, want
	}
}

// visit checks that the wheel may call the owner of id now.
func (w *twin) visit(id ID) *twinEntry {
	w.t.Helper()
	e := w.entries[id]
	if e == nil {
		w.t.Fatalf("tick %d: the owner of entry %d is called, which is not there", w.now, id)
	}
	if !e.due(w.now) {
		w.t.Fatalf("tick %d: the owner of entry %d is called early: %+v", w.now, id, *e)
	}
	e.asked, e.postponed = false, false
	return e
}

// returned does what the callback of e said. Whether e is still there is up to the caller.
func (w *twin) returned(id ID, next time.Duration) {
	e := w.entries[id]
	passed := !e.never && e.deadline() <= w.now
	switch {
	case next == Done:
		delete(w.entries, id)
	case next == Rearm && !passed:
	case next == Rearm:
		w.ask(e, w.now+1)
		e.postponed = true
	default:
		w.pull(id, next)
		e.postponed = passed
	}
}

// advanced checks that an Advance without a budget left nobody out.
func (w *twin) advanced() {
	w.t.Helper()
	for id, e := range w.entries {
		if e.due(w.now) && e.notBefore <= w.now {
			w.t.Fatalf("tick %d: the owner of entry %d is not called: %+v", w.now, id, *e)
		}
	}
}

// agree compares what both say of every entry.
func (w *twin) agree(wheel *Wheel) {
	w.t.Helper()
	if err := wheel.Validate(); err != nil {
		w.t.Fatalf("tick %d: %v", w.now, err)
	}
	if got, want := wheel.Len(), len(w.entries); got != want {
		w.t.Fatalf("Len: got %d, want %d", got, want)
	}
	if got, want := wheel.Now(), w.at; got != want {
		w.t.Fatalf("Now: got %v, want %v", got, want)
	}
	for id, e := range w.entries {
		want := time.Duration(e.deadline()) * w.tick
		if e.never {
			want = math.MaxInt64
		}
		if got := wheel.Deadline(id); got != want {
			w.t.Fatalf("Deadline(%d): got %v, want %v", id, got, want)
		}
		if got, ok := wheel.Resolve(e.handle); got != id || !ok {
			w.t.Fatalf("Resolve(%#x): got %d, %v, want %d, true", e.handle, got, ok, id)
		}
	}
}
