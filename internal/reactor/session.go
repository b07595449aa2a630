package reactor

type state uint8

const (
	stateFree           state = iota
	stateHandshaking          // accepted, no complete HELLO yet
	stateAuthenticating       // its HELLO is good, its token is being checked
	stateReady                // welcomed
	stateLingering            // told to go; input is discarded until the peer closes
)

// Session is what a loop knows of one connection: 32 bytes without a pointer, two to a
// cache line, so that the garbage collector never reads it and a heartbeat reads one line: the
// transport keeps a pointer to it. What few connections need at a time is in extra. Its slot is the id of its wheel entry. Owned by the loop.
type Session struct {
	state      state
	terms      uint8 // low byte of the number of the terms that its deadline follows
	flags      flags
	name       nameRef
	extra      extraRef
	rateSecond uint32 // when framesUsed and bytesUsed were last refilled
	framesUsed int32
	bytesUsed  int32
	place      place
	need       int32 // bytes that must be there before receive can achieve anything
}

// place is the upper half of a handle: loop 8 bits, slot 24.
type place uint32

func placeOf(loop uint8, slot Slot) place { return place(uint32(loop)<<24 | uint32(slot)) }

// SlotOf is the slot in a handle.
func SlotOf(handle uint64) Slot { return Slot(handle >> 32 & (maxSlots - 1)) }

func (p place) slot() Slot { return Slot(p & (maxSlots - 1)) }

// flags are what is true of a session for a while, and in the two highest bits how often in a
// row its eviction was put off because unread bytes were waiting.
type flags uint16

const (
	admitted   flags = 1 << iota // counted by the gate
	pending                      // counted by the gate as not in yet
	counted                      // by the table of addresses
	backlogged                   // the transport holds bytes that the kernel did not take
	gone                         // its end was counted and told to the application
	knocking                     // counted by the gate as beyond its places
	spoken                       // something was written to it since its last second or look
	ponged                       // a PONG was, since its last look
	opened                       // the application was told that it began
	watched                      // a window runs in which the peer must take some of what it was sent
	staged                       // the transport has a stage between the peer's bytes and ours
	superseded                   // a later attempt of its process has taken its place
	turned                       // it has waited for its turn with its stage: it is pending anew since then
	hadSlot                      // and that was a slot of the second gate
)

// Loop is the number of the loop that the connection is on.
func (s *Session) Loop() uint8 { return uint8(s.place >> 24) }

// Slot is the connection's.
func (s *Session) Slot() Slot { return s.place.slot() }

// Free says that the connection has ended; its slot may be another's already.
func (s *Session) Free() bool { return s.state == stateFree }

// Staged says that what comes is not ours as it comes. It is the transport's, which has set it.
func (s *Session) Staged() bool { return s.is(staged) }

// SetStaged is for the transport.
func (s *Session) SetStaged(on bool) {
	if s.clear(staged); on {
		s.set(staged)
	}
}

func (s *Session) is(f flags) bool { return s.flags&f != 0 }

func (s *Session) set(f flags) { s.flags |= f }

func (s *Session) clear(f flags) { s.flags &^= f }

// excused is how often in a row an eviction was put off, maxExcuses at most.
func (s *Session) excused() int { return int(s.flags >> excusedShift) }

func (s *Session) setExcused(n int) {
	s.flags = s.flags&(1<<excusedShift-1) | flags(n)<<excusedShift
}

const excusedShift = 14

const (
	sessionChunkBits = 10
	sessionChunk     = 1 << sessionChunkBits
)

// sessions is a slab that grows by chunks and never copies.
type sessions []*[sessionChunk]Session

func (t sessions) at(slot Slot) *Session {
	return &t[slot>>sessionChunkBits][slot&(sessionChunk-1)]
}

func (t *sessions) grow(slot Slot) {
	for int(slot>>sessionChunkBits) >= len(*t) {
		*t = append(*t, new([sessionChunk]Session))
	}
}

// numbers are those of the last DELIVER of each session that was awaited, apart since a heartbeat
// needs none: a chunk is there once one of its sessions was sent one. Owned by the loop.
type numbers []*[sessionChunk]uint64

// next returns the number of a session's next DELIVER, from 1.
func (n *numbers) next(slot Slot) uint64 {
	i := int(slot >> sessionChunkBits)
	for i >= len(*n) {
		*n = append(*n, nil)
	}
	if (*n)[i] == nil {
		(*n)[i] = new([sessionChunk]uint64)
	}
	last := &(*n)[i][slot&(sessionChunk-1)]
	*last++
	return *last
}

// forget begins again: the slot has another session.
func (n numbers) forget(slot Slot) {
	if i := int(slot >> sessionChunkBits); i < len(n) && n[i] != nil {
		n[i][slot&(sessionChunk-1)] = 0
	}
}
