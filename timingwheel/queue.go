package timingwheel

// Free IDs wait in a queue of chunks, so that the longest free is reused first.
// It costs no memory of its own: an entry is either filed in a slot or free. A
// list through the entries would cost none either, but there each reuse waits
// for the cache line of the one before; from a chunk the next thirty are known.

// free makes handles of an entry that is filed nowhere stale, and appends it to
// the queue.
func (w *Wheel) free(id uint32, e *entry) {
	e.where = 0
	if e.ttlGen = uint32(uint8(e.ttlGen) + 1); e.ttlGen == 0 {
		w.carry(id)
	}
	place := w.freeEnd
	if place&wordBits == 0 {
		place = w.extend()
	}
	*w.word(place) = id
	w.freeEnd = place + placeNext
	w.live--
}

// extend appends a chunk to the queue and returns the first place in it, which
// the caller fills.
func (w *Wheel) extend() (place uint32) {
	number := w.takeChunk()
	w.chunk(number)[chunkLink] = 0
	place = firstPlace(number)
	if w.freeEnd == 0 {
		w.firstFree = place
	} else {
		w.chunk((w.freeEnd - placeNext) >> placeChunk)[chunkLink] = number
	}
	return place
}

// take returns an entry that is filed nowhere: the longest free, or a new one.
func (w *Wheel) take() (id uint32) {
	place := w.firstFree
	if place == w.freeEnd {
		return w.newEntry()
	}
	id = *w.word(place)
	w.firstFree = place + placeNext
	if w.firstFree == w.freeEnd || w.firstFree&wordBits == 0 {
		w.leaveChunk(place >> placeChunk)
	}
	return id
}

// leaveChunk goes on with the next chunk of the queue. The last one is kept for
// the next free ID.
func (w *Wheel) leaveChunk(number uint32) {
	if w.firstFree == w.freeEnd {
		w.firstFree = firstPlace(number)
		w.freeEnd = w.firstFree
		return
	}
	next := w.chunk(number)[chunkLink]
	w.giveChunk(number)
	w.firstFree = firstPlace(next)
	w.prefetchAfter(w.chunk(next))
}
