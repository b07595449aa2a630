package timingwheel

import (
	"math"
	"time"
)

// What a VisitFunc may return instead of a time.
const (
	Done  time.Duration = math.MinInt64     // the entry is over: remove it
	Rearm time.Duration = math.MinInt64 + 1 // look again at last+ttl
)

// A VisitFunc is the owner's: it is called for an entry whose last+ttl has
// passed, or which was pulled to this moment, or which asked for it with its
// last return value. It returns when to look next:
//
//   - Done: the entry is over. It is removed after the return, unless the
//     callback did that itself.
//   - Rearm: at last+ttl; if that has passed already, in the next tick.
//   - a time: at the latest then, whether or not last+ttl has passed; a time at
//     or before now means the next tick. If last+ttl had passed by now, the
//     entry is left alone until that time (unless it is pulled or gets another
//     ttl), even if it is touched.
//
// It may call every method of the wheel except Advance and Close. If it panics,
// the wheel stays whole: the entry is looked at again in the next tick.
type VisitFunc func(id ID) time.Duration

// A Budget bounds one Advance. Zero means unlimited.
type Budget struct {
	Visits   int         // entries looked at
	Expiries int         // entries handed to their owner
	Stop     func() bool // asked every 64 visits, so a bound on time is possible
}

// Progress is what one Advance did.
type Progress struct {
	Visited int           // entries looked at
	Called  int           // of those, the ones handed to their owner
	Debt    time.Duration // with More: how late the oldest unfinished tick is by now
	More    bool          // the budget ended it: call again soon, not only next tick
}

const stopEvery = 64

// Advance observes now and looks at every entry that fell due since, in the
// order of ticks; within a tick the order is not defined. It stops where the
// budget ends, within a slot if need be, and the next call goes on there. After
// a stall of any length it costs the entries it finds, not the ticks that passed.
func (w *Wheel) Advance(now time.Duration, b Budget, visit VisitFunc) Progress {
	if w.advancing {
		panic("timingwheel: Advance called by a VisitFunc")
	}
	if !w.step(now) {
		w.Observe(now)
	}
	// Most ticks of a small wheel are empty: one or two bits tell.
	if w.now-w.cursor <= 1 && !w.occupied.has(uint32(w.cursor)&w.mask) && !w.occupied.has(w.stamp&w.mask) {
		w.cursor, w.backlog = w.now, -1
		return Progress{}
	}
	return w.advance(b, visit)
}

// advance does the work of an Advance that may find some.
func (w *Wheel) advance(b Budget, visit VisitFunc) Progress {
	if w.now-w.cursor > int64(w.mask) {
		// All slots are due. From here one revolution ends at the current tick.
		if due, ok := w.nextOccupied(); ok && w.backlog < 0 {
			w.backlog = due
		}
		w.cursor = w.now - int64(w.mask)
	}
	if due, ok := w.nextOccupied(); !ok || due > w.now {
		w.cursor, w.backlog = w.now, -1
		return Progress{}
	}
	w.advancing = true
	defer w.leave()
	return w.work(b, visit)
}

// nextOccupied returns the first tick from the cursor on that has entries.
func (w *Wheel) nextOccupied() (int64, bool) {
	cursor := uint32(w.cursor)
	n, ok := w.occupied.next(cursor & w.mask)
	return w.cursor + int64((n-cursor)&w.mask), ok
}

// leave ends an Advance. If it was a callback's panic that ended it, the entry
// in hand is filed again.
func (w *Wheel) leave() {
	w.advancing = false
	if w.visiting != noEntry {
		id := w.visiting
		w.visiting = noEntry
		w.postpone(id, w.entry(id), w.stamp+1)
	}
}

// work goes from slot to slot until the current tick is done or the budget is.
func (w *Wheel) work(b Budget, visit VisitFunc) (p Progress) {
	for {
		due, ok := w.nextOccupied()
		if !ok || due > w.now {
			w.cursor, w.backlog = w.now, -1
			break
		}
		w.cursor = due
		// How many visits until the next look at the budget.
		room := math.MaxInt
		if b.Visits > 0 {
			room = b.Visits - p.Visited
		}
		if b.Stop != nil {
			room = min(room, stopEvery-p.Visited%stopEvery)
		}
		if room == 0 || b.Expiries > 0 && p.Called >= b.Expiries {
			p.More = true
			break
		}
		w.drain(room, b.Expiries, visit, &p)
		if b.Stop != nil && p.Visited%stopEvery == 0 && b.Stop() {
			due, ok = w.nextOccupied()
			p.More = ok && due <= w.now
			break
		}
	}
	if p.More {
		oldest := w.cursor
		if w.backlog >= 0 {
			oldest = w.backlog
		}
		p.Debt = w.at - time.Duration(oldest)*w.tick
	}
	w.visits += uint64(p.Visited)
	w.calls += uint64(p.Called)
	return p
}

// drain visits entries of the cursor's slot until it is empty or room is used up.
// An entry leaves its slot before anything else happens to it, so whatever a
// callback does to the slot, what is left in it is what is left to visit.
func (w *Wheel) drain(room, calls int, visit VisitFunc, p *Progress) {
	n := uint32(w.cursor) & w.mask
	for w.slots[n] != 0 && room > 0 {
		last := w.slots[n].last()
		c := w.chunk(last >> placeChunk)
		ids := c[chunkHeader : last>>placeWord%chunkWords+1]
		if len(ids) > room {
			ids = ids[len(ids)-room:]
		} else {
			w.prefetchAfter(c)
		}
		if w.refile(ids) {
			w.shrink(n, last-uint32(len(ids)-1)<<placeWord)
			room -= len(ids)
			p.Visited += len(ids)
			continue
		}
		for batch := len(ids); batch > 0 && w.slots[n] != 0; batch-- {
			place := w.slots[n].last()
			id := *w.word(place)
			w.shrink(n, place)
			room--
			p.Visited++
			e := w.entry(id)
			e.where &= flagBits
			if w.quiet(e) {
				w.file(id, e, w.nextLook(e))
				w.keepComparable(e)
				continue
			}
			p.Called++
			w.call(id, e, visit)
			if calls > 0 && p.Called >= calls {
				return
			}
		}
	}
}

// refile is the usual case: a batch of entries from the end of a slot's first
// chunk have asked for nothing and were touched in time, so all are filed anew.
// It returns false, having done nothing, if one of them was not.
//
// Nearly all the time of a visit is the wait for the entry's cache line. The
// first loop reads all entries before anything is written, so the processor
// waits for many lines at once; one by one, a visit among a million took three
// to five times as long. The second is file, knowing the flags.
func (w *Wheel) refile(ids []uint32) bool {
	var due [chunkWords]uint32
	stamp := w.stamp
	for i, id := range ids {
		e := w.entry(id)
		d := e.last + 1 + e.ttlGen>>ttlShift
		if e.where&(flagAsked|flagPostponed) != 0 || int32(d-stamp) <= 0 {
			return false
		}
		due[i%chunkWords] = d
	}
	cursor, mask := uint32(w.cursor), w.mask
	horizon := w.horizon(cursor)
	slots, blocks := w.slots, w.blocks
	for i, id := range ids {
		n := due[i%chunkWords]
		if n-cursor > mask {
			n = horizon
		}
		n &= mask
		place := uint32(slots[n])
		if place&wordBits == 0 {
			place = w.prepend(n)
		}
		*w.word(place) = id
		blocks[id>>blockShift].entries[id%blockEntries].where = flagLive | place
		slots[n] = slot(place + placeNext)
	}
	return true
}

// quiet reports whether the owner of an entry need not be called yet.
func (w *Wheel) quiet(e *entry) bool {
	return (e.where&flagAsked == 0 || w.ahead(e.want)) &&
		(e.where&flagPostponed != 0 || w.ahead(w.deadline(e)))
}

// call hands an entry to its owner and does what the owner says.
func (w *Wheel) call(id uint32, e *entry, visit VisitFunc) {
	e.where = flagLive
	w.visiting = id
	next := visit(ID(id))
	if w.visiting == noEntry {
		w.expired++
		return // removed by the callback; the ID may have a new owner already
	}
	w.visiting = noEntry
	if next == Done {
		w.free(id, e)
		w.expired++
		return
	}
	w.keepComparable(e)
	switch next {
	case Rearm:
		if w.ahead(w.deadline(e)) {
			w.file(id, e, w.nextLook(e))
		} else {
			w.postpone(id, e, w.stamp+1)
		}
	default:
		w.postpone(id, e, w.tickOf(next))
	}
}

// postpone files an entry so that its owner is called at tick want at the
// latest. If last+ttl has passed, only want counts from now on.
func (w *Wheel) postpone(id uint32, e *entry, want uint32) {
	w.ask(e, want)
	if !w.ahead(w.deadline(e)) {
		e.where |= flagPostponed
	}
	w.file(id, e, w.nextLook(e))
}
