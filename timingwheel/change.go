package timingwheel

import (
	"math"
	"time"
)

// Add makes an entry that was last heard of at the observed time, and returns
// its ID. A ttl of 0 or less is due in the next tick. One of 2^24-1 ticks or
// more (4.6 hours at 1 ms, 48 days at 250 ms) never passes.
func (w *Wheel) Add(ttl time.Duration) ID {
	id := w.take()
	e := w.entry(id)
	ticks := w.ttlToTicks(ttl)
	e.last = w.stamp
	e.ttlGen = e.ttlGen&0xff | ticks<<ttlShift
	e.where = flagLive
	due := w.deadline(e)
	if w.spread > 0 {
		due -= w.nextShare(min(ticks, w.spread))
	}
	w.file(id, e, due)
	w.live++
	return ID(id)
}

// Touch says that the entry was heard of at the observed time: its deadline is
// ttl from then.
func (w *Wheel) Touch(id ID) {
	w.blocks[id>>blockShift].entries[id%blockEntries].last = w.stamp
}

// SetTTL changes the timeout. The deadline is last+ttl with the new one: it may
// have passed, and the owner is then called in the next tick. Making it longer
// is one store.
func (w *Wheel) SetTTL(id ID, ttl time.Duration) {
	e := w.entry(uint32(id))
	e.ttlGen = e.ttlGen&0xff | w.ttlToTicks(ttl)<<ttlShift
	e.where &^= flagPostponed
	w.bringForward(uint32(id), e, w.nextLook(e))
}

// TTL is the timeout that an entry has, rounded up to a tick; the largest Duration if it
// never passes.
func (w *Wheel) TTL(id ID) time.Duration {
	ticks := w.entry(uint32(id)).ttlGen >> ttlShift
	if ticks == neverTTL {
		return math.MaxInt64
	}
	return time.Duration(ticks) * w.tick
}

// Pull makes the wheel call the entry's owner at the given time, at most one
// tick (and the lag) later and never before, unless it is called earlier for
// another reason. Of several pulls the earliest holds; the next call settles
// them all. A time at or before now means the next tick; one more than 2^30
// ticks ahead means 2^30.
func (w *Wheel) Pull(id ID, at time.Duration) {
	e := w.entry(uint32(id))
	w.ask(e, w.tickOf(at))
	w.bringForward(uint32(id), e, w.nextLook(e))
}

// ask notes that the owner is to be called at tick want, or earlier if it asked
// for that already.
func (w *Wheel) ask(e *entry, want uint32) {
	if e.where&flagAsked == 0 || int32(want-e.want) < 0 {
		e.want = want
		e.where |= flagAsked
	}
}

// Remove forgets an entry. Its ID may be given to another at once, and its
// handles are stale. Removing twice is harmless until the ID is given away.
func (w *Wheel) Remove(id ID) {
	e := w.entry(uint32(id))
	if e.where&flagLive == 0 {
		return
	}
	if uint32(id) == w.visiting {
		w.visiting = noEntry
	}
	if e.where>>placeChunk != 0 {
		w.unlink(uint32(id), e)
	}
	w.free(uint32(id), e)
}

// nextLook is the tick in which the owner is to be called, as things stand; the
// next one if that has passed.
func (w *Wheel) nextLook(e *entry) uint32 {
	due := w.deadline(e)
	if e.where&flagPostponed != 0 || e.where&flagAsked != 0 && int32(e.want-due) < 0 {
		due = e.want
	}
	if !w.ahead(due) {
		due = w.stamp + 1
	}
	return due
}

// bringForward files an entry earlier. One that waits for an earlier tick stays
// there: that visit files it anew. One that is being visited is filed when its
// owner returns.
func (w *Wheel) bringForward(id uint32, e *entry, due uint32) {
	if e.where>>placeChunk == 0 || int32(due-w.filed(e)) >= 0 {
		return
	}
	w.unlink(id, e)
	w.file(id, e, due)
}

func (w *Wheel) ttlToTicks(ttl time.Duration) uint32 {
	if ttl != w.ttl {
		w.ttl, w.ttlTicks = ttl, w.ticksUp(ttl)
	}
	return w.ttlTicks
}

// nextShare returns 0 to span, evenly over any run of calls: multiples of the
// golden ratio, of which the fraction is kept.
func (w *Wheel) nextShare(span uint32) uint32 {
	w.spreadCount++
	return uint32(uint64(w.spreadCount*0x9E3779B9) * uint64(span+1) >> 32)
}
