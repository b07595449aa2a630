package reactor

import "time"

// extra is the part of a session that few need at a time: those with an unfinished frame, a
// backlog, an earlier session to end, a later one that has taken its place, a grant that ends or has
// limits, a DELIVER that is outstanding, reading paused, a change that it does not follow, or a farewell
// that waits. It is taken when one
// of them begins and freed when it is all zero again.
type extra struct {
	progressed bool          // the unfinished frame has earned more time
	pongDue    bool          // a PONG for pongToken waits for the backlog to drain
	endUntold  bool          // the next PONG tells when the session ends
	seen       int32         // bytes of the unfinished frame at the last look
	partial    int32         // bytes of the unfinished frame when its deadline was set
	lingerLeft int32         // bytes of input still to be discarded
	held       int32         // what its unfinished frame costs of the budget
	queued     int32         // bytes that wait in user space, as of the last look
	owed       int64         // bytes that the peer had not taken when its window began, and what was written since
	due        int32         // of owed, what it must take within the window
	heard      bool          // it was heard in an earlier window, and took nothing
	partUntil  time.Duration // deadline of the unfinished frame, 0: there is none
	quietAt    time.Duration // when the next look at the unfinished frame is due
	writeUntil time.Duration // end of the window
	expires    time.Duration // end of the session's grant in real time, 0: never
	renewal    time.Duration // no other token is checked before, in real time; names the check under way
	pongToken  uint64
	ghost      uint64 // handle of the session whose place it takes when it is welcomed
	haunted    bool   // there is one
	invited    bool   // it came with a ticket, which is spent when it is welcomed
	ticket     uint32 // the ticket's number
	after      uint64 // the stamp that its return pass carries, until it is welcomed
	awaits     awaitRef
	guest      bool          // superseded: its place went to its heir
	leaveUntil time.Duration // superseded: when it ends
	knewAt     time.Duration // when its peer's kernel had taken what tells a change that it does not follow
	bounds     boundsRef
	sends      keptRef
	kept       int64 // what these cost of the budget
}

// extraRef is where a session's extra lies; zero means that it has none.
type extraRef uint32

const (
	extraChunkBits = 8
	extraChunk     = 1 << extraChunkBits
)

// extras is a slab that grows by chunks, with a list of what is free. Owned by the loop.
type extras struct {
	chunks []*[extraChunk]extra
	used   extraRef   // handed out at least once
	free   []extraRef // freed, to be used first
}

var noExtra extra // what sessions have that have none; never written

// of returns what s has, to be read only.
func (e *extras) of(s *Session) *extra {
	if s.extra == 0 {
		return &noExtra
	}
	return e.at(s.extra)
}

// need returns what s has, to be written.
func (e *extras) need(s *Session) *extra {
	if s.extra == 0 {
		s.extra = e.take()
	}
	return e.at(s.extra)
}

// spare frees what s has if nothing in it is needed any more.
func (e *extras) spare(s *Session) {
	if s.extra != 0 && *e.at(s.extra) == (extra{}) {
		e.free = append(e.free, s.extra)
		s.extra = 0
	}
}

// drop frees what s has.
func (e *extras) drop(s *Session) {
	if s.extra != 0 {
		*e.at(s.extra) = extra{}
		e.spare(s)
	}
}

func (e *extras) at(ref extraRef) *extra {
	return &e.chunks[(ref-1)>>extraChunkBits][(ref-1)&(extraChunk-1)]
}

func (e *extras) take() extraRef {
	if n := len(e.free); n > 0 {
		ref := e.free[n-1]
		e.free = e.free[:n-1]
		return ref
	}
	if int(e.used) == len(e.chunks)*extraChunk {
		e.chunks = append(e.chunks, new([extraChunk]extra))
	}
	e.used++
	return e.used
}
