package timingwheel

import (
	"math"
	"time"
)

// Ticks are counted in 64 bits here and stored in 32, where two are compared by
// their signed difference. So a stored tick must stay within 2^31 of the
// current one; farTicks keeps it so with room to spare. It is 12 days at 1 ms
// and 8 years at 250 ms.
const farTicks = 1 << 30

// Observe moves the clock that Touch and Add stamp with. It never goes
// backwards. Call it once a read, not once a frame.
func (w *Wheel) Observe(now time.Duration) {
	if now > w.at {
		w.at = now
		if now >= w.turns {
			w.turn()
		}
	}
}

// step moves the clock into the next tick, if now is in it: nothing is divided
// then, and it is short enough to be compiled into Advance.
func (w *Wheel) step(now time.Duration) bool {
	if now < w.turns || now-w.turns >= w.tick {
		return false
	}
	w.at = now
	w.now++
	w.stamp++
	w.turns += w.tick
	return true
}

// turn begins the tick of w.at.
func (w *Wheel) turn() {
	now := w.now + 1
	if !w.step(w.at) {
		now = int64(w.at / w.tick)
	}
	if now-max(w.cursor, w.aged) >= farTicks/2 {
		w.age(now)
	}
	w.setTick(now)
}

func (w *Wheel) setTick(now int64) {
	w.now, w.stamp = now, uint32(now)
	w.turns = time.Duration(now+1) * w.tick
}

// age keeps stored ticks comparable where Advance, which does so as it goes, was
// not called for 2^29 ticks, however many times Observe was: what is further back
// than 2^30 ticks, which all deadlines have passed, moves up to there.
func (w *Wheel) age(now int64) {
	w.aged = now
	for id := range w.entries {
		e := w.entry(id)
		if e.where&flagLive == 0 {
			continue
		}
		if now-w.now+int64(w.stamp-e.last) > farTicks {
			e.last = uint32(now - farTicks)
		}
		if e.where&flagAsked != 0 && w.now+int64(int32(e.want-w.stamp)) <= now {
			e.want = uint32(now)
		}
	}
}

// Now is the latest time observed, by Observe or Advance.
func (w *Wheel) Now() time.Duration { return w.at }

// keepComparable holds a stored tick within 2^31 of the current one, however
// often its entry is looked at.
func (w *Wheel) keepComparable(e *entry) {
	if w.stamp-e.last > farTicks {
		e.last = w.stamp - farTicks
	}
}

// NextDue is when Advance has something to look at: the beginning of a tick,
// which may have passed already; false if the wheel is empty. An owner with
// nothing else to do may sleep until then. The visit may turn out to be one
// that only files the entry anew.
func (w *Wheel) NextDue() (time.Duration, bool) {
	cursor := uint32(w.cursor)
	n, ok := w.occupied.next(cursor & w.mask)
	if !ok {
		return 0, false
	}
	return time.Duration(w.cursor+int64((n-cursor)&w.mask)) * w.tick, true
}

// Deadline is the earliest instant at which the entry can expire for want of a
// Touch: last+ttl, rounded up to a tick. It is the largest Duration if the ttl
// never passes.
func (w *Wheel) Deadline(id ID) time.Duration {
	e := w.entry(uint32(id))
	if e.ttlGen>>ttlShift == neverTTL {
		return math.MaxInt64
	}
	ahead := int32(w.deadline(e) - w.stamp)
	return time.Duration(w.now+int64(ahead)) * w.tick
}

// deadline is the first tick that begins at or after last+ttl, whenever in its
// tick the entry was touched: hence the one more.
func (w *Wheel) deadline(e *entry) uint32 {
	ttl := e.ttlGen >> ttlShift
	if ttl == neverTTL {
		return w.stamp + farTicks
	}
	return e.last + 1 + ttl
}

// ahead reports whether a tick is still to come.
func (w *Wheel) ahead(tick uint32) bool { return int32(tick-w.stamp) > 0 }

// ticksUp converts a duration to ticks, rounding up; neverTTL is the most.
func (w *Wheel) ticksUp(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	n := d / w.tick
	if n*w.tick < d {
		n++
	}
	return uint32(min(n, neverTTL))
}

// tickOf is the tick that a visit at the given time waits for: the first that
// begins at or after it, but at least the next one and at most farTicks away.
func (w *Wheel) tickOf(at time.Duration) uint32 {
	n := at / w.tick
	if n*w.tick < at {
		n++
	}
	return uint32(min(max(int64(n), w.now+1), w.now+farTicks))
}
