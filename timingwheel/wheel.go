package timingwheel

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
	"unsafe"
)

// Limits and defaults of a Config.
const (
	DefaultTick  = 250 * time.Millisecond
	DefaultSlots = 4096

	minSlots = 64
	maxSlots = 1 << 20
)

// Config describes a wheel. The zero value is ready to use.
type Config struct {
	// Tick is the resolution. Default 250 ms. A shorter tick is more exact; the
	// cost of a visit stays, only idle ticks get more.
	Tick time.Duration

	// Slots is the length of the wheel in ticks, rounded up to a power of two
	// from 64 to 1,048,576. Default 4096, which is 17 minutes at 250 ms. A ttl
	// may be longer: the entry is then looked at once a revolution.
	Slots int

	// Capacity is how many entries to map memory for at the start. Default 0:
	// memory is mapped as entries come, at most 304 KiB in one Add.
	Capacity int

	// Start is the first time the wheel observes. Default 0; not negative.
	Start time.Duration

	// Spread brings the first visit of an entry forward by up to this much (and
	// never by more than its ttl), each entry by another share. A million
	// entries that were added in one instant are then first looked at over
	// Spread rather than in one tick. Deadlines don't change: a silent entry
	// costs one more visit. Default 0: off.
	Spread time.Duration
}

// withDefaults fills what is zero.
func (c Config) withDefaults() Config {
	if c.Tick == 0 {
		c.Tick = DefaultTick
	}
	if c.Slots == 0 {
		c.Slots = DefaultSlots
	}
	return c
}

// Validate says in one sentence which field makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Tick < 0:
		return fmt.Errorf("timingwheel: Tick is %v, must not be negative", c.Tick)
	case c.Slots < 0 || c.Slots > maxSlots:
		return fmt.Errorf("timingwheel: Slots is %d, must be 0 to %d", c.Slots, maxSlots)
	case c.Capacity < 0 || c.Capacity > maxEntries:
		return fmt.Errorf("timingwheel: Capacity is %d, must be 0 to %d", c.Capacity, maxEntries)
	case c.Start < 0:
		return fmt.Errorf("timingwheel: Start is %v, must not be negative", c.Start)
	case c.Spread < 0:
		return fmt.Errorf("timingwheel: Spread is %v, must not be negative", c.Spread)
	}
	return nil
}

// A Wheel holds deadlines. It belongs to one goroutine at a time.
type Wheel struct {
	// Read on every heartbeat: together, in one cache line.
	blocks []*entryBlock
	stamp  uint32        // the current tick, as entries store it
	tick   time.Duration // length of a tick
	turns  time.Duration // when the next tick begins
	at     time.Duration // the latest time observed

	// The ring of slots.
	now      int64 // the current tick; uint32(now) == stamp
	cursor   int64 // the tick being worked off: earlier ones are empty, its own may not be
	aged     int64 // when age last looked at all entries
	backlog  int64 // the oldest tick not worked off, when the cursor had to jump over it; or -1
	mask     uint32
	slots    []slot
	occupied bitmap

	// Chunks, which hold what is filed in the slots.
	chunkBlocks []*chunkBlock
	chunks      uint32 // handed out so far, the nil chunk 0 included
	freeChunk   uint32 // first of the free ones, last freed first
	chunksInUse int

	// Entries.
	entries   uint32 // handed out so far
	live      int
	firstFree uint32 // place of the longest free ID in the queue of free ones
	freeEnd   uint32 // place for the next one; the same if there is none

	// One ttl is usually shared by all: its ticks are kept to save the division.
	ttl      time.Duration
	ttlTicks uint32

	spread      uint32 // ticks
	spreadCount uint32

	advancing bool
	visiting  uint32 // the entry whose owner is being called; noEntry if none or removed since

	visits, calls, expired uint64
}

// New returns an empty wheel. The error names the field of cfg that makes no
// sense, or says that the system refused memory for Capacity.
func New(cfg Config) (*Wheel, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	slots := max(minSlots, 1<<bits.Len(uint(cfg.Slots-1)))
	w := &Wheel{
		tick:     cfg.Tick,
		at:       cfg.Start,
		backlog:  -1,
		mask:     uint32(slots - 1),
		slots:    make([]slot, slots),
		occupied: newBitmap(slots),
		chunks:   1,
		visiting: noEntry,
	}
	w.spread = w.ticksUp(cfg.Spread)
	w.setTick(int64(cfg.Start / cfg.Tick))
	w.cursor = w.now
	for w.entryRoom() < cfg.Capacity || w.chunkRoom()*chunkIDs < cfg.Capacity {
		if w.entryRoom() < cfg.Capacity {
			if err := w.growEntries(); err != nil {
				w.Close()
				return nil, err
			}
		}
		if w.chunkRoom()*chunkIDs < cfg.Capacity {
			if err := w.growChunks(); err != nil {
				w.Close()
				return nil, err
			}
		}
	}
	return w, nil
}

// Close gives the memory back. The wheel must not be used after it, except that
// Close may be called again. Must not be called from a callback.
func (w *Wheel) Close() error {
	var failed []error
	for _, b := range w.blocks {
		failed = append(failed, unmap(b))
	}
	for _, b := range w.chunkBlocks {
		failed = append(failed, unmap(b))
	}
	// What is left is an empty wheel that cannot be looked into: a stale ID
	// panics on the bounds instead of touching memory that is gone.
	w.blocks, w.chunkBlocks, w.live = nil, nil, 0
	return errors.Join(failed...)
}

// Len is the number of entries.
func (w *Wheel) Len() int { return w.live }

// Stats are counters since New, and sizes now.
type Stats struct {
	Live    int    // entries
	Visits  uint64 // entries looked at by Advance
	Calls   uint64 // of those, the ones handed to their owner
	Expired uint64 // of those, the ones the owner was done with
	Chunks  int    // chunks of 30 IDs in slots
	Bytes   int64  // memory mapped and allocated, in use or not
}

// Stats returns the counters.
func (w *Wheel) Stats() Stats {
	return Stats{
		Live:    w.live,
		Visits:  w.visits,
		Calls:   w.calls,
		Expired: w.expired,
		Chunks:  w.chunksInUse,
		Bytes: int64(unsafe.Sizeof(*w)) +
			int64(len(w.blocks))*int64(unsafe.Sizeof(entryBlock{})) +
			int64(len(w.chunkBlocks))*int64(unsafe.Sizeof(chunkBlock{})) +
			int64(cap(w.blocks)+cap(w.chunkBlocks))*int64(unsafe.Sizeof(uintptr(0))) +
			int64(len(w.slots))*int64(unsafe.Sizeof(slot(0))) +
			w.occupied.bytes(),
	}
}
