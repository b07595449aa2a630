package reactor

import "sync/atomic"

// liveTable says to any goroutine which session a slot has: 4 bytes a slot, written by the loop when
// a session begins and when it ends. A heartbeat does not touch it. (A slot's generation wraps after
// 4 billion connections of that slot; the one before has no entry here.)
type liveTable struct {
	chunks atomic.Pointer[[]*[sessionChunk]atomic.Uint32] // generation plus one of the slot's session, 0: it has none
}

// begin makes the session of a handle known.
func (t *liveTable) begin(handle uint64) {
	slot := SlotOf(handle)
	i := int(slot >> sessionChunkBits)
	var chunks []*[sessionChunk]atomic.Uint32
	if p := t.chunks.Load(); p != nil {
		chunks = *p
	}
	if i >= len(chunks) {
		grown := append([]*[sessionChunk]atomic.Uint32(nil), chunks...) // readers may hold the old one
		for i >= len(grown) {
			grown = append(grown, new([sessionChunk]atomic.Uint32))
		}
		chunks = grown
		t.chunks.Store(&grown)
	}
	chunks[i][slot&(sessionChunk-1)].Store(uint32(handle) + 1)
}

// end forgets the session of a slot.
func (t *liveTable) end(slot Slot) {
	if p := t.chunks.Load(); p != nil && int(slot>>sessionChunkBits) < len(*p) {
		(*p)[slot>>sessionChunkBits][slot&(sessionChunk-1)].Store(0)
	}
}

// Live says whether the session of a handle of this loop goes on. Any goroutine may ask; the
// answer is as of the moment of the call.
func (r *Reactor) Live(handle uint64) bool {
	slot := SlotOf(handle)
	p := r.live.chunks.Load()
	return p != nil && int(slot>>sessionChunkBits) < len(*p) &&
		(*p)[slot>>sessionChunkBits][slot&(sessionChunk-1)].Load() == uint32(handle)+1
}
