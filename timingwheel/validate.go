package timingwheel

import (
	"fmt"
	"time"
)

// Validate checks every invariant of the wheel and returns the first that is
// broken. It walks everything: it is for tests.
func (w *Wheel) Validate() error {
	filed, err := w.validateSlots()
	if err != nil {
		return err
	}
	live, err := w.validateEntries()
	if err != nil {
		return err
	}
	inHand := 0
	if w.visiting != noEntry {
		inHand = 1
	}
	switch {
	case live != w.live:
		return fmt.Errorf("timingwheel: %d entries live, Len says %d", live, w.live)
	case filed+inHand != live:
		return fmt.Errorf("timingwheel: %d entries filed and %d in hand, of %d", filed, inHand, live)
	case w.cursor > w.now:
		return fmt.Errorf("timingwheel: cursor %d is after tick %d", w.cursor, w.now)
	case uint32(w.now) != w.stamp:
		return fmt.Errorf("timingwheel: stamp %d in tick %d", w.stamp, w.now)
	case w.turns != time.Duration(w.now+1)*w.tick:
		return fmt.Errorf("timingwheel: tick %d ends at %v", w.now, w.turns)
	case int64(w.at/w.tick) != w.now:
		return fmt.Errorf("timingwheel: time %v in tick %d", w.at, w.now)
	}
	return nil
}

// validateSlots checks the slots and the bitmap. It returns how many entries are
// filed.
func (w *Wheel) validateSlots() (filed int, err error) {
	chunks := 0
	for n := range uint32(len(w.slots)) {
		if occupied := w.slots[n] != 0; occupied != w.occupied.has(n) {
			return 0, fmt.Errorf("timingwheel: slot %d: occupied is %v, its bit is not", n, occupied)
		}
		if w.slots[n] != 0 {
			c, f, err := w.validateChain(n)
			if err != nil {
				return 0, err
			}
			chunks += c
			filed += f
		}
	}
	if chunks != w.chunksInUse {
		return 0, fmt.Errorf("timingwheel: %d chunks in slots, %d noted", chunks, w.chunksInUse)
	}
	for i, word := range w.occupied.words {
		if has := w.occupied.summary[i/64]&(1<<(i%64)) != 0; has != (word != 0) {
			return 0, fmt.Errorf("timingwheel: summary of word %d is %v", i, has)
		}
	}
	return filed, w.validateChunks(chunks)
}

// validateChain checks that the chunks and entries of a slot agree where each is.
func (w *Wheel) validateChain(n uint32) (chunks, filed int, err error) {
	end := w.slots[n].last()
	if end>>placeChunk == 0 || end < firstPlace(end>>placeChunk) || end&flagBits != 0 {
		return 0, 0, fmt.Errorf("timingwheel: slot %d: last place is %#x", n, end)
	}
	for number := end >> placeChunk; number != 0; number = w.chunk(number)[chunkLink] {
		if chunks++; chunks >= int(w.chunks) {
			return 0, 0, fmt.Errorf("timingwheel: slot %d: more chunks than there are", n)
		}
		if in := w.chunk(number)[chunkSlot]; in != n {
			return 0, 0, fmt.Errorf("timingwheel: chunk %d is in slot %d, says %d", number, n, in)
		}
		if number != end>>placeChunk {
			end = number<<placeChunk | wordBits // full
		}
		for place := firstPlace(number); place <= end; place += placeNext {
			id := *w.word(place)
			if id >= w.entries {
				return 0, 0, fmt.Errorf("timingwheel: slot %d holds ID %d of %d", n, id, w.entries)
			}
			e := w.entry(id)
			if e.where&^flagBits != place || e.where&flagLive == 0 {
				return 0, 0, fmt.Errorf("timingwheel: entry %d is at %#x, says %#x", id, place, e.where)
			}
			filed++
		}
	}
	return chunks, filed, nil
}

// validateChunks checks that each chunk is in a slot, in the queue of free IDs
// or free, and that it holds IDs only.
func (w *Wheel) validateChunks(inSlots int) error {
	for n := uint32(1); n < w.chunks; n++ {
		for _, id := range w.chunk(n)[chunkHeader:] {
			if id != 0 && id >= w.entries { // prefetchChunk relies on it
				return fmt.Errorf("timingwheel: chunk %d holds %d, which is no ID", n, id)
			}
		}
	}
	free := 0
	for n := w.freeChunk; n != 0; n = w.chunk(n)[chunkLink] {
		if free++; free >= int(w.chunks) {
			return fmt.Errorf("timingwheel: the free chunks go in a circle")
		}
	}
	queue := 0
	if w.freeEnd != 0 {
		end := w.freeEnd - placeNext
		if w.firstFree == w.freeEnd { // empty: it keeps a chunk
			end = w.firstFree
		}
		queue = 1
		for n := w.firstFree >> placeChunk; n != end>>placeChunk; n = w.chunk(n)[chunkLink] {
			if queue++; n == 0 || queue >= int(w.chunks) {
				return fmt.Errorf("timingwheel: the queue of free IDs has no end")
			}
		}
	}
	if inSlots+queue+free != int(w.chunks)-1 {
		return fmt.Errorf("timingwheel: %d chunks in slots, %d with free IDs and %d free, of %d",
			inSlots, queue, free, w.chunks-1)
	}
	return nil
}

// validateEntries checks that no entry waits longer than it may, and the queue
// of free ones. It returns how many are live.
func (w *Wheel) validateEntries() (live int, err error) {
	for id := range w.entries {
		e := w.entry(id)
		if e.where&flagLive == 0 {
			if e.where != 0 {
				return 0, fmt.Errorf("timingwheel: free entry %d has where %#x", id, e.where)
			}
			continue
		}
		live++
		if id == w.visiting {
			continue
		}
		if e.where>>placeChunk == 0 {
			return 0, fmt.Errorf("timingwheel: entry %d is filed nowhere", id)
		}
		if e.where&flagPostponed != 0 && e.where&flagAsked == 0 {
			return 0, fmt.Errorf("timingwheel: entry %d is postponed to no time", id)
		}
		// A cursor further back has all slots before it, and 32 bits do not tell.
		if f := w.filed(e); w.now-w.cursor < farTicks && int32(f-w.nextLook(e)) > 0 {
			return 0, fmt.Errorf("timingwheel: entry %d waits for tick %d, must be looked at in %d", id, f, w.nextLook(e))
		}
	}
	free := 0
	for place := w.firstFree; place != w.freeEnd; {
		id := *w.word(place)
		if id >= w.entries || w.entry(id).where&flagLive != 0 {
			return 0, fmt.Errorf("timingwheel: entry %d is queued as free", id)
		}
		if free++; free > int(w.entries) {
			return 0, fmt.Errorf("timingwheel: more free IDs than entries")
		}
		if place += placeNext; place != w.freeEnd && place&wordBits == 0 {
			place = firstPlace(w.chunk((place - placeNext) >> placeChunk)[chunkLink])
		}
	}
	if live+free != int(w.entries) {
		return 0, fmt.Errorf("timingwheel: %d live and %d free of %d", live, free, w.entries)
	}
	return live, nil
}
