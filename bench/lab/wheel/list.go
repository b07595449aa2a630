package wheel

import (
	"math/bits"
	"time"
)

// listWheel is the layout that lost: the same wheel with lazy re-arming, whose
// slots are doubly linked lists through the entries. It has what the fleet
// needs of timingwheel and the fields for the rest.
//
// It is a little smaller and frees a place without moving another entry. But
// the way to an entry goes through the one before it, so a visit waits for one
// cache miss after the other.
type listWheel struct {
	kept
	now, cursor uint32
	mask        uint32
	heads       []uint32 // first entry of each slot + 1
	occupied    []uint64
	blocks      []*[listBlock]listEntry
	entries     uint32
	firstFree   uint32
	lastFree    uint32
}

type listEntry struct {
	last, ttl  uint32
	next, prev uint32 // + 1; prev 0: first of its slot
	where      uint32 // slot + 1; 0: not filed
	generation uint32
}

const (
	listShift = 14
	listBlock = 1 << listShift
)

func newListWheel(slots int) subject {
	return &listWheel{
		mask:     uint32(slots - 1),
		heads:    make([]uint32, slots),
		occupied: make([]uint64, slots/64),
	}
}

func (w *listWheel) entry(id uint32) *listEntry { return &w.blocks[id>>listShift][id%listBlock] }

func (w *listWheel) file(id uint32, e *listEntry, due uint32) {
	n := (w.cursor + min(due-w.cursor, w.mask)) & w.mask
	head := w.heads[n]
	e.next, e.prev, e.where = head, 0, n+1
	if head != 0 {
		w.entry(head - 1).prev = id + 1
	} else {
		w.occupied[n/64] |= 1 << (n % 64)
	}
	w.heads[n] = id + 1
}

func (w *listWheel) unlink(e *listEntry) {
	n := e.where - 1
	if e.prev != 0 {
		w.entry(e.prev - 1).next = e.next
	} else {
		w.heads[n] = e.next
	}
	if e.next != 0 {
		w.entry(e.next - 1).prev = e.prev
	}
	if w.heads[n] == 0 {
		w.occupied[n/64] &^= 1 << (n % 64)
	}
	e.where = 0
}

func (w *listWheel) free(id uint32, e *listEntry) {
	e.generation++
	e.next = 0
	if w.lastFree == 0 {
		w.firstFree = id + 1
	} else {
		w.entry(w.lastFree - 1).next = id + 1
	}
	w.lastFree = id + 1
}

func (w *listWheel) arm(ids []uint32, ttl time.Duration) {
	for range ids {
		id := w.firstFree - 1
		if w.firstFree != 0 {
			if w.firstFree = w.entry(id).next; w.firstFree == 0 {
				w.lastFree = 0
			}
		} else {
			if id = w.entries; id%listBlock == 0 {
				w.blocks = append(w.blocks, new([listBlock]listEntry))
			}
			w.entries++
		}
		e := w.entry(id)
		e.last, e.ttl = w.now, uint32(ttl/tick)
		w.file(id, e, e.last+1+e.ttl)
	}
}

func (w *listWheel) refresh(ids []uint32, _ time.Duration) {
	for _, id := range ids {
		w.entry(id).last = w.now
	}
}

func (w *listWheel) cancel(ids []uint32) {
	for _, id := range ids {
		e := w.entry(id)
		w.unlink(e)
		w.free(id, e)
	}
}

// next returns the ticks from the cursor to the first occupied slot.
func (w *listWheel) next() (uint32, bool) {
	n := w.cursor & w.mask
	words := uint32(len(w.occupied))
	if m := w.occupied[n/64] >> (n % 64); m != 0 {
		return uint32(bits.TrailingZeros64(m)), true
	}
	for i := uint32(1); i <= words; i++ {
		word := (n/64 + i) % words
		if m := w.occupied[word]; m != 0 {
			return (word*64 + uint32(bits.TrailingZeros64(m)) - n) & w.mask, true
		}
	}
	return 0, false
}

func (w *listWheel) advance(now time.Duration) (visited int, more bool) {
	w.now = uint32(now / tick)
	for {
		ahead, ok := w.next()
		if !ok || w.cursor+ahead > w.now {
			w.cursor = w.now
			return visited, false
		}
		w.cursor += ahead
		n := w.cursor & w.mask
		for w.heads[n] != 0 {
			id := w.heads[n] - 1
			e := w.entry(id)
			visited++
			w.heads[n] = e.next
			if e.next != 0 {
				w.entry(e.next - 1).prev = 0
			} else {
				w.occupied[n/64] &^= 1 << (n % 64)
			}
			if due := e.last + 1 + e.ttl; int32(due-w.now) > 0 {
				w.file(id, e, due)
				continue
			}
			e.where = 0
			w.over++
			w.free(id, e)
		}
	}
}
