package timingwheel

import (
	"fmt"
	"unsafe"
)

// An ID is the index of an entry, dense from 0, so that the owner's own state
// can live in a slice beside the wheel. It is valid until the entry is removed;
// after that it is given to another one, the longest free first.
type ID uint32

// A Handle is an ID that can be kept: generation<<32 | ID. The generation
// changes each time the ID is freed, and returns after 2^32 reuses.
type Handle uint64

// ID returns the handle's entry, which may be stale; see Resolve.
func (h Handle) ID() ID { return ID(uint32(h)) }

// entry is what a visit reads and writes: 16 bytes, so four to a cache line and
// none across two.
type entry struct {
	last   uint32 // tick of the last Touch
	want   uint32 // flagAsked: tick to call the owner at
	where  uint32 // place | flags; place 0: filed nowhere
	ttlGen uint32 // ttl in ticks<<8 | low byte of the generation
}

const (
	flagLive      = 1 << 0
	flagAsked     = 1 << 1 // the owner is called at want, whatever last+ttl says
	flagPostponed = 1 << 2 // last+ttl had passed when the owner chose want: only want counts
	flagBits      = flagLive | flagAsked | flagPostponed

	ttlShift = 8

	// neverTTL is the ttl that never passes. A longer one is the same: never
	// early comes first.
	neverTTL = 1<<24 - 1

	blockShift   = 14
	blockEntries = 1 << blockShift

	noEntry    = ^uint32(0)
	maxEntries = (1<<24 - maxSlots - 4) * chunkIDs // a chunk's number has 24 bits
)

// entryBlock is the unit of growth, 304 KiB. The upper 24 bits of a generation
// change once in 256 reuses and are read for a Handle only, so they live apart.
type entryBlock struct {
	entries [blockEntries]entry
	upper   [blockEntries][3]uint8
}

func (w *Wheel) entry(id uint32) *entry {
	return &w.blocks[id>>blockShift].entries[id%blockEntries]
}

func (w *Wheel) entryRoom() int { return len(w.blocks) * blockEntries }

func (w *Wheel) growEntries() error {
	if w.entryRoom() > maxEntries {
		return fmt.Errorf("timingwheel: more than %d entries", maxEntries)
	}
	b, err := mapZeroed[entryBlock]()
	if err == nil {
		w.blocks = append(w.blocks, b)
	}
	return err
}

// newEntry returns an entry that was never used.
func (w *Wheel) newEntry() (id uint32) {
	id = w.entries
	if int(id) == w.entryRoom() {
		w.mustGrow(w.growEntries)
	}
	w.entries++
	return id
}

// carry counts the upper bits of a generation up.
func (w *Wheel) carry(id uint32) {
	u := &w.blocks[id>>blockShift].upper[id%blockEntries]
	for i := range u {
		if u[i]++; u[i] != 0 {
			return
		}
	}
}

func (w *Wheel) generation(id uint32) uint32 {
	u := &w.blocks[id>>blockShift].upper[id%blockEntries]
	return w.entry(id).ttlGen&0xff | uint32(u[0])<<8 | uint32(u[1])<<16 | uint32(u[2])<<24
}

// Handle returns a handle of a present entry.
func (w *Wheel) Handle(id ID) Handle {
	return Handle(w.generation(uint32(id)))<<32 | Handle(id)
}

// Resolve returns the entry of a handle, and false if it is there no more (or
// never was: any number may be resolved).
func (w *Wheel) Resolve(h Handle) (ID, bool) {
	id := uint32(h)
	if id >= w.entries || w.blocks == nil {
		return 0, false
	}
	if w.entry(id).where&flagLive == 0 || w.generation(id) != uint32(h>>32) {
		return 0, false
	}
	return ID(id), true
}

// mustGrow panics where the system refuses memory, as append would.
func (w *Wheel) mustGrow(grow func() error) {
	if err := grow(); err != nil {
		panic(err)
	}
}

// An entry is 16 bytes and a block has no padding; this fails to compile otherwise.
var _ = [1]struct{}{}[unsafe.Sizeof(entryBlock{})-blockEntries*19]
