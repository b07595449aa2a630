package timingwheel

import "unsafe"

// prefetchChunk asks the processor for the entries of a chunk's IDs, and for the
// chunk after it, and waits for none. It is assembly because Go has no such
// instruction: a plain load holds up what follows it, and loads of the next chunk
// between the work on this one made a visit slower. Among a million a visit takes
// half the time with it, and arming a quarter.
//
// It reads the table of blocks without a check of bounds: all words of a chunk
// but its header must be IDs, stale ones or 0. [Wheel.Validate] checks that.
//
//go:noescape
func prefetchChunk(blocks **entryBlock, ids, after *chunk)

// prefetchAfter fetches what will be needed when a chunk is worked off: the
// entries of the next one.
func (w *Wheel) prefetchAfter(c *chunk) {
	if next := c[chunkLink]; next != 0 {
		ids := w.chunk(next)
		prefetchChunk(&w.blocks[0], ids, w.chunk(ids[chunkLink]))
	}
}

// The assembly finds an entry by a shift; this fails to compile if it's another.
const entryShift = 4

var _ = [1]struct{}{}[unsafe.Sizeof(entry{})-1<<entryShift]
