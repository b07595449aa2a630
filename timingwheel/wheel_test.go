package timingwheel

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

func done(ID) time.Duration { return Done }

// expire advances without a budget and returns the sorted IDs of those called.
func expire(w *Wheel, now time.Duration) []ID {
	var ids []ID
	w.Advance(now, Budget{}, func(id ID) time.Duration {
		ids = append(ids, id)
		return Done
	})
	slices.Sort(ids)
	return ids
}

func TestNeverEarlyAndAtMostTwoTicksLate(t *testing.T) {
	const tick = 10 * ms
	for _, ttl := range []time.Duration{-1, 0, 1, tick - 1, tick, tick + 1, 63 * tick, 64 * tick, 65*tick + 3, 1000 * tick, 70000*tick + 1} {
		for _, last := range []time.Duration{0, 1, tick - 1, tick, 777*tick + 5} {
			t.Run(fmt.Sprintf("%v after %v", ttl, last), func(t *testing.T) {
				w := newWheel(t, Config{Tick: tick, Slots: 64})
				w.Observe(last)
				id := w.Add(ttl)
				due := last + max(ttl, 0)
				if d := w.Deadline(id); d < due || d >= due+2*tick {
					t.Errorf("Deadline: got %v, want within two ticks from %v", d, due)
				}
				if got := expire(w, due-1); got != nil {
					t.Fatalf("at %v: expired before %v", due-1, due)
				}
				late := 2*tick - 1
				if ttl > 0 && ttl%tick == 0 {
					late = tick
				}
				if got := expire(w, due+late); len(got) != 1 {
					t.Fatalf("at %v: not expired, due %v", due+late, due)
				}
			})
		}
	}
}

func TestAHeartbeatMovesTheDeadline(t *testing.T) {
	w := newWheel(t, Config{Tick: ms})
	id := w.Add(10 * ms)
	for now := time.Duration(0); now < 500*ms; now += 9 * ms {
		w.Observe(now)
		w.Touch(id)
		if got := expire(w, now); got != nil {
			t.Fatalf("at %v: expired, touched then", now)
		}
	}
	if got := expire(w, w.Now()+12*ms); len(got) != 1 {
		t.Fatal("silent for ttl and two ticks: not expired")
	}
}

func TestALongTTLNeverPasses(t *testing.T) {
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	id := w.Add(math.MaxInt64)
	if got := w.Deadline(id); got != math.MaxInt64 {
		t.Errorf("Deadline: got %v, want the largest", got)
	}
	longest := w.Add((1<<24 - 2) * ms)
	if got := expire(w, (1<<24-2)*ms); got != nil {
		t.Fatalf("before the longest ttl: got %v expired", got)
	}
	if got := expire(w, 1<<24*ms); !slices.Equal(got, []ID{longest}) {
		t.Fatalf("after the longest ttl: got %v expired, want %v", got, longest)
	}
	if got := expire(w, 1<<33*ms); got != nil {
		t.Fatalf("much later: got %v expired", got)
	}
}

// ages are steps of Advance: rare ones, after which all entries are looked through, and such as leave
// each entry to its visits.
var ages = []time.Duration{1 << 27, 1 << 29}

// Whenever one that never passed is given a ttl, it has passed, also beyond the age at which 32-bit ticks
// would be mistaken.
func TestAnEntryOfAnyAgeIsPast(t *testing.T) {
	for _, step := range ages {
		for end := time.Duration(1 << 30); end < 1<<33; end += 1 << 30 {
			w := newWheel(t, Config{Tick: ms, Slots: 64})
			id := w.Add(math.MaxInt64)
			for now := step; now <= end; now += step {
				if got := expire(w, now*ms); got != nil {
					t.Fatalf("at %v: got %v expired", now*ms, got)
				}
			}
			w.SetTTL(id, 5*ms)
			if got := expire(w, w.Now()+ms); !slices.Equal(got, []ID{id}) {
				t.Errorf("after SetTTL made it long past, at %v in steps of %d: got %v expired, want %v", end*ms, step, got, id)
			}
		}
	}
}

func TestAnEntryPostponedForEverStaysPast(t *testing.T) {
	for _, step := range ages {
		w := newWheel(t, Config{Tick: ms, Slots: 64})
		id := w.Add(5 * ms)
		for now := step; now < 1<<33; now += step {
			calls := 0
			w.Advance(now*ms, Budget{}, func(ID) time.Duration { calls++; return (now + step) * ms })
			if d := w.Deadline(id); calls != 1 || d > now*ms {
				t.Fatalf("at %v: %d calls, deadline %v, want one and a deadline in the past", now*ms, calls, d)
			}
		}
	}
}

func TestSetTTLKeepsLastAndGoesEitherWay(t *testing.T) {
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	shorter, longer, past := w.Add(1000*ms), w.Add(50*ms), w.Add(1000*ms)
	w.Observe(20 * ms)
	w.SetTTL(shorter, 30*ms)
	w.SetTTL(longer, 300*ms)
	w.SetTTL(past, 5*ms)
	for _, step := range []struct {
		now  time.Duration
		want []ID
	}{{20 * ms, nil}, {21 * ms, []ID{past}}, {30 * ms, nil}, {31 * ms, []ID{shorter}}, {300 * ms, nil}, {301 * ms, []ID{longer}}} {
		if got := expire(w, step.now); !slices.Equal(got, step.want) {
			t.Fatalf("at %v: got %v expired, want %v", step.now, got, step.want)
		}
	}
}

func TestPullCallsThoughTheDeadlineIsAhead(t *testing.T) {
	for _, at := range []time.Duration{0, 7*ms + 1, 500 * ms, 5000 * ms} {
		t.Run(at.String(), func(t *testing.T) {
			w := newWheel(t, Config{Tick: ms, Slots: 64})
			id := w.Add(300 * ms)
			w.Observe(2 * ms)
			w.Pull(id, at)
			w.Pull(id, at+time.Hour) // a later one doesn't undo it
			earliest := max(at, 3*ms)
			var called time.Duration
			for now := 2 * ms; called == 0 && now < at+10*ms; now += ms {
				w.Observe(now)
				w.Touch(id)
				w.Advance(now, Budget{}, func(ID) time.Duration {
					called = now
					return Rearm
				})
			}
			if called < earliest || called > earliest+ms {
				t.Fatalf("called at %v, want from %v to a tick later", called, earliest)
			}
			calls := 0
			w.Advance(called+299*ms, Budget{}, func(ID) time.Duration { calls++; return Rearm })
			if calls != 0 {
				t.Fatal("after Rearm: called before last+ttl")
			}
		})
	}
}

func TestTheReturnValueSaysWhenToLookNext(t *testing.T) {
	for _, test := range []struct {
		name         string
		next         time.Duration
		touchAfter   time.Duration // 0: never
		first, later time.Duration // calls expected
	}{
		{"Rearm when passed is the next tick", Rearm, 0, 11 * ms, 12 * ms},
		{"a time passed is the next tick", 3 * ms, 0, 11 * ms, 12 * ms},
		{"now is the next tick", 11 * ms, 0, 11 * ms, 12 * ms},
		{"a time ahead is that time", 40 * ms, 0, 11 * ms, 40 * ms},
		{"a time ahead counts even after a touch", 40 * ms, 35 * ms, 11 * ms, 40 * ms},
		{"beyond the ring", 900 * ms, 0, 11 * ms, 900 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWheel(t, Config{Tick: ms, Slots: 64})
			id := w.Add(10 * ms)
			var calls []time.Duration
			for now := time.Duration(0); now < 1000*ms && len(calls) < 2; now += ms {
				w.Observe(now)
				if now == test.touchAfter && now > 0 {
					w.Touch(id)
				}
				w.Advance(now, Budget{}, func(ID) time.Duration {
					calls = append(calls, now)
					return test.next
				})
			}
			if want := []time.Duration{test.first, test.later}; !slices.Equal(calls, want) {
				t.Fatalf("calls: got %v, want %v", calls, want)
			}
		})
	}
}

func TestSpreadVisitsEarlierAndExpiresTheSame(t *testing.T) {
	const n, ttl, spread = 10_000, 1000 * ms, 200 * ms
	w := newWheel(t, Config{Tick: ms, Spread: spread})
	for range n {
		w.Add(ttl)
	}
	most := 0
	for now := time.Duration(0); now <= ttl+ms; now += ms {
		p := w.Advance(now, Budget{}, func(id ID) time.Duration {
			t.Fatalf("entry %d: called at %v, before %v", id, now, ttl)
			return Done
		})
		most = max(most, p.Visited)
		if now == ttl/2 { // the fleet beats, as it does
			for id := range ID(n) {
				w.Touch(id)
			}
		}
	}
	// 201 ticks share them evenly, the last falls on ttl+1.
	if even := n / 201; most > even+even/5 {
		t.Errorf("visits in one tick: got up to %d, want about %d", most, even)
	}
	if got := len(expire(w, ttl/2+ttl+ms)); got != n {
		t.Errorf("expired: got %d, want %d", got, n)
	}
}

func TestAPanicInACallbackLeavesTheWheelWhole(t *testing.T) {
	w := newWheel(t, Config{Tick: ms})
	for range 3 {
		w.Add(5 * ms)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the caller of Advance")
			}
		}()
		w.Advance(10*ms, Budget{}, func(ID) time.Duration { panic("owner's") })
	}()
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := len(expire(w, 11*ms)); got != 3 {
		t.Errorf("a tick later: got %d expired, want 3", got)
	}
}

func TestAdvanceWithinACallbackPanics(t *testing.T) {
	w := newWheel(t, Config{Tick: ms})
	w.Add(0)
	defer func() {
		if r, ok := recover().(string); !ok || !strings.Contains(r, "Advance called by a VisitFunc") {
			t.Errorf("got panic %v", r)
		}
	}()
	w.Advance(10*ms, Budget{}, func(ID) time.Duration {
		w.Advance(20*ms, Budget{}, done)
		return Done
	})
}

func TestNextDueLetsAnIdleOwnerSleep(t *testing.T) {
	w := newWheel(t, Config{Tick: ms, Slots: 64})
	if at, ok := w.NextDue(); ok {
		t.Fatalf("empty: got %v", at)
	}
	w.Add(5000 * ms)
	wakeups := 0
	for w.Len() > 0 {
		at, ok := w.NextDue()
		if !ok || at <= w.Now() {
			t.Fatalf("NextDue at %v: got %v, %v", w.Now(), at, ok)
		}
		if wakeups++; wakeups > 100 {
			t.Fatal("100 wake-ups for a ttl of 80 revolutions")
		}
		w.Advance(at, Budget{}, done)
	}
	if got := w.Now(); got != 5001*ms {
		t.Errorf("expired at %v, want 5.001s", got)
	}
}

// An owner with many entries that are due beyond the ring must not wake for each of them.
func TestLooksBeyondTheRingShareWakeUps(t *testing.T) {
	const slots, entries = 16384, 4000
	w := newWheel(t, Config{Tick: ms, Slots: slots})
	for range entries {
		w.Advance(w.Now()+ms, Budget{}, done)
		w.Add(3 * slots * ms)
	}
	wakeups, looks := 0, 0
	for end := w.Now() + slots*ms; ; wakeups++ {
		at, ok := w.NextDue()
		if !ok {
			t.Fatal("nothing is due")
		}
		if at > end {
			break
		}
		looks += w.Advance(at, Budget{}, done).Visited
	}
	if looks < entries || wakeups > 257 {
		t.Errorf("%d wake-ups for %d looks of %d entries in a revolution, want a 256th of the slots at most", wakeups, looks, entries)
	}
}

func TestConfigErrorsNameTheField(t *testing.T) {
	bad := map[string]Config{
		"Tick":     {Tick: -1},
		"Slots":    {Slots: maxSlots + 1},
		"Capacity": {Capacity: -1},
		"Start":    {Start: -1},
		"Spread":   {Spread: -1},
	}
	for _, field := range slices.Sorted(maps.Keys(bad)) {
		if _, err := New(bad[field]); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("bad %s: got error %v", field, err)
		}
	}
	for slots, want := range map[int]int{0: 4096, 1: 64, 64: 64, 65: 128, maxSlots: maxSlots} {
		if got := len(newWheel(t, Config{Slots: slots}).slots); got != want {
			t.Errorf("Slots %d: got %d, want %d", slots, got, want)
		}
	}
}
