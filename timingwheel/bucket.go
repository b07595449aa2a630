package timingwheel

import "unsafe"

// A place is where an ID is filed: chunk<<8 | word of the chunk<<3. The bits
// below are an entry's flags, so that entry.where holds both.
const (
	placeWord  = 3
	placeChunk = 8
	placeNext  = 1 << placeWord

	// Words 0 and 1 of a chunk are its header, so a place at word 0 is that of no
	// ID: the one after the last of a chunk that is full, or 0, which is none.
	wordBits = (chunkWords - 1) << placeWord
)

// A slot holds the IDs to look at in one tick (modulo the ring) as a chain of
// chunks. It is the place for the next ID, or 0 if it is empty: chunks fill up
// from word 2, and only the first of a chain may have room, so memory follows
// the number of entries even under churn:
//
//	slot -> chunk{ids: a b . . .} -> chunk{ids: c d e f ...} -> 0
//
// Every filed entry knows its place, so unlinking it is exact: the last ID of
// the first chunk moves into the hole.
//
// Why arrays and not a list through the entries: a list's walk waits for one
// cache miss after the other, while the IDs of a chunk are known beforehand, so
// that the processor fetches many entries at once. bench/lab/wheel measures both.
type slot uint32

// firstPlace is that of the first ID in a chunk.
func firstPlace(chunk uint32) uint32 { return chunk<<placeChunk | chunkHeader<<placeWord }

// last is the place of the last ID of a slot that isn't empty.
func (s slot) last() uint32 { return uint32(s) - placeNext }

const (
	chunkWords       = 32
	chunkIDs         = chunkWords - chunkHeader
	chunkBlockShift  = 9
	chunkBlockChunks = 1 << chunkBlockShift
)

// The header of a chunk.
const (
	chunkLink = iota // the next chunk in the slot, in the free list or in the queue of free IDs; 0 ends all
	chunkSlot        // the slot it is in
	chunkHeader
)

// chunk is two cache lines. Its other words are IDs, or stale ones, or 0.
type chunk [chunkWords]uint32

// chunkBlock is the unit of growth, 64 KiB.
type chunkBlock [chunkBlockChunks * chunkWords]uint32

func (w *Wheel) chunk(n uint32) *chunk {
	b := w.chunkBlocks[n>>chunkBlockShift]
	return (*chunk)(b[n%chunkBlockChunks*chunkWords:])
}

// word is the memory of a place.
func (w *Wheel) word(place uint32) *uint32 {
	const blockWords = chunkBlockChunks * chunkWords
	return &w.chunkBlocks[place>>(placeChunk+chunkBlockShift)][place>>placeWord%blockWords]
}

func (w *Wheel) chunkRoom() int { return len(w.chunkBlocks)*chunkBlockChunks - 1 }

func (w *Wheel) growChunks() error {
	b, err := mapZeroed[chunkBlock]()
	if err == nil {
		w.chunkBlocks = append(w.chunkBlocks, b)
	}
	return err
}

// takeChunk returns a chunk that is in no chain.
func (w *Wheel) takeChunk() uint32 {
	n := w.freeChunk
	if n != 0 {
		w.freeChunk = w.chunk(n)[chunkLink]
		return n
	}
	n = w.chunks
	if int(n) > w.chunkRoom() {
		w.mustGrow(w.growChunks)
	}
	w.chunks++
	return n
}

func (w *Wheel) giveChunk(n uint32) {
	w.chunk(n)[chunkLink] = w.freeChunk
	w.freeChunk = n
}

// file puts an entry that is filed nowhere into the slot of tick due, which
// must be after the current tick. It never goes to the cursor's own slot, so
// working that off ends.
func (w *Wheel) file(id uint32, e *entry, due uint32) {
	cursor := uint32(w.cursor)
	if due-cursor > w.mask {
		due = w.horizon(cursor)
	}
	n := due & w.mask
	place := uint32(w.slots[n])
	if place&wordBits == 0 {
		place = w.prepend(n)
	}
	*w.word(place) = id
	e.where = e.where&flagBits | place
	w.slots[n] = slot(place + placeNext)
}

// horizon is the tick for what is due beyond the ring, or while the cursor is
// far behind: it is looked at early then, and filed again. All that is filed
// within a 256th of a revolution shares a slot near the last one ahead of the
// cursor, so that an owner that sleeps until NextDue wakes seldom for mere looks.
func (w *Wheel) horizon(cursor uint32) uint32 {
	return (cursor + w.mask) &^ (w.mask >> 8)
}

// prepend puts an empty chunk before the others of slot n and returns the place
// for an ID in it, which the caller fills.
func (w *Wheel) prepend(n uint32) (place uint32) {
	next := uint32(0)
	if s := w.slots[n]; s != 0 {
		next = s.last() >> placeChunk
	} else {
		w.occupied.set(n)
	}
	number := w.takeChunk()
	c := w.chunk(number)
	c[chunkLink], c[chunkSlot] = next, n
	w.chunksInUse++
	return firstPlace(number)
}

// shrink makes a place the next one of slot n: no ID is in it or after it.
func (w *Wheel) shrink(n, place uint32) {
	if place&wordBits == chunkHeader<<placeWord {
		w.dropHead(n)
	} else {
		w.slots[n] = slot(place)
	}
}

// dropHead frees the first chunk of slot n, which has become empty.
func (w *Wheel) dropHead(n uint32) {
	number := w.slots[n].last() >> placeChunk
	next := w.chunk(number)[chunkLink]
	w.giveChunk(number)
	w.chunksInUse--
	if next == 0 {
		w.slots[n] = 0
		w.occupied.clear(n)
	} else {
		w.slots[n] = slot(next+1) << placeChunk // full
	}
}

// unlink takes a filed entry out of its slot.
func (w *Wheel) unlink(id uint32, e *entry) {
	place := e.where &^ flagBits
	n := w.chunk(place >> placeChunk)[chunkSlot]
	end := w.slots[n].last()
	last := *w.word(end)
	if last != id {
		*w.word(place) = last
		moved := w.entry(last)
		moved.where = moved.where&flagBits | place
	}
	e.where &= flagBits
	w.shrink(n, end)
}

// filed reports the tick for which a filed entry waits.
func (w *Wheel) filed(e *entry) uint32 {
	cursor := uint32(w.cursor)
	return cursor + (w.chunk(e.where >> placeChunk)[chunkSlot]-cursor)&w.mask
}

// A chunk is 128 bytes; this fails to compile otherwise.
var _ = [1]struct{}{}[unsafe.Sizeof(chunk{})-128]
