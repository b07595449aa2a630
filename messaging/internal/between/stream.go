package between

import (
	"errors"
	"slices"
)

// ErrFull is what Stream.Send returns when so much is not acknowledged that nothing more may be.
var ErrFull = errors.New("between: too much is under way to that node")

// HadLost is the Result of a HAIL to a node that was had for lost: what it asked before is forgotten.
const HadLost uint64 = 1

const (
	maxUnacked = 16 << 20 // bytes of frames that a Stream keeps to say them again
	maxAnswers = 64 << 20 // the same, if it is an answer, or else nothing that somebody wants to be sent
	maxAgain   = 1 << 20  // bytes that it says again at a time, when the peer says that they are lost
	maxProbe   = 16 << 10 // bytes that it says again when nothing is heard: the peer tells then what else is lost
	chunkBytes = 16 << 10 // of memory for frames that is taken at a time
	ackEvery   = 64       // frames after which it acknowledges by itself
)

// Stream is one direction from this hub to another's, and what has come of the other direction. What is sent is
// numbered and kept until the peer has said that it came; what is lost is sent again, with all that was sent
// behind it. So each frame is taken once and in order, while neither end begins anew.
//
// Its user has Tick called a few times a second, and sends what Send, Take and Tick return at once and in that
// order. Not for concurrent use.
type Stream struct {
	id    uint64
	sent  [][]byte // those from head on are not acknowledged
	head  int
	first uint64 // the number of sent[head], or of what is sent next
	bytes int    // of sent
	stuck uint64 // first, as of the last Tick
	again uint64 // from where it was sent again since then; 0: it was not
	chunk []byte // has the latest frames, and room for the next; it is used again when all are acknowledged

	from  uint64 // the peer's stream; 0: nothing has come
	was   uint64 // the one before
	taken uint64 // the last number that came of it
	owed  int    // frames that it has not been told about
	gap   bool   // something is missing, and it was told
}

// NewStream returns a stream under an id, which is not 0, and which no other stream between these nodes has had.
func NewStream(id uint64) *Stream { return &Stream{id: id, first: 1} }

// Begin begins anew under another id: what was not acknowledged is forgotten. What came of the peer's stream is not.
func (s *Stream) Begin(id uint64) {
	s.id, s.sent, s.head, s.first, s.bytes, s.stuck, s.again, s.chunk = id, nil, 0, 1, 0, 0, 0, nil
}

// Send returns the frame of a message, which nobody may change, and which is its user's until the next call. Where there is no room for more messages, there
// still is for answers.
func (s *Stream) Send(m *Message) ([]byte, error) {
	if s.bytes >= maxAnswers || s.bytes >= maxUnacked && m.Kind.isLoad() {
		return nil, ErrFull
	}
	m.Stream, m.Number = s.id, s.first+uint64(s.Unacked())
	s.acknowledge(m)
	if most := m.most(); cap(s.chunk)-len(s.chunk) < most {
		s.chunk = make([]byte, 0, max(chunkBytes, most))
	}
	start := len(s.chunk)
	s.chunk = Append(s.chunk, m)
	frame := s.chunk[start:len(s.chunk):len(s.chunk)]
	s.sent = append(s.sent, frame)
	s.bytes += len(frame)
	return frame, nil
}

// TakeBack forgets the last frame that Send returned: the bus will never take it.
func (s *Stream) TakeBack() {
	last := len(s.sent) - 1
	s.bytes -= len(s.sent[last])
	s.chunk = s.chunk[:len(s.chunk)-len(s.sent[last])]
	s.sent[last] = nil
	s.sent = s.sent[:last]
}

// Unacked is how many frames the peer has not said to have.
func (s *Stream) Unacked() int { return len(s.sent) - s.head }

func (s *Stream) acknowledge(m *Message) {
	m.AckStream, m.Acked = s.from, s.taken
	s.owed = 0
}

// Verdict is what to do with a message that has come.
type Verdict uint8

// Verdicts.
const (
	Drop  Verdict = iota // it is a copy, or something before it is missing
	Use                  // it is the next
	Anew                 // it is the first of a stream that the peer has begun, and not the first such: he has forgotten what was asked of him
	Plain                // it belongs to no stream
)

// Take notes a message of the peer's, and returns what is to be said now.
func (s *Stream) Take(m *Message) (v Verdict, say [][]byte) {
	if m.AckStream == s.id {
		s.acked(m.Acked)
		if m.Again != 0 && s.again != s.first {
			s.again = s.first
			say = s.sendAgain(maxAgain)
		}
	}
	switch v = s.verdict(m); v {
	case Use, Anew:
		s.taken, s.gap = m.Number, false
	case Plain:
		return v, say
	}
	s.owed++
	switch {
	case m.Stream == s.from && m.Number > s.taken && !s.gap:
		s.gap = true
		say = append(say, s.ack())
	case s.owed >= ackEvery:
		say = append(say, s.ack())
	}
	return v, say
}

func (s *Stream) verdict(m *Message) Verdict {
	switch {
	case m.Number == 0 || m.Stream == 0:
		return Plain
	case m.Stream != s.from && (m.Number != 1 || m.Stream == s.was):
		return Drop
	case m.Stream != s.from:
		s.was, s.from, s.taken = s.from, m.Stream, 0
		if s.was != 0 {
			return Anew
		}
		return Use
	case m.Number == s.taken+1:
		return Use
	}
	return Drop
}

// acked forgets what has come to the peer.
func (s *Stream) acked(to uint64) {
	for ; s.Unacked() > 0 && s.first <= to; s.first++ {
		s.bytes -= len(s.sent[s.head])
		s.sent[s.head] = nil
		s.head++
	}
	switch {
	case s.Unacked() == 0:
		s.sent, s.head, s.chunk = s.sent[:0], 0, s.chunk[:0]
	case s.head > len(s.sent)/2:
		n := copy(s.sent, s.sent[s.head:])
		clear(s.sent[n:])
		s.sent, s.head = s.sent[:n], 0
	}
}

// ack is an acknowledgement alone.
func (s *Stream) ack() []byte {
	m := Message{Kind: Ack}
	if s.gap {
		m.Again = 1
	}
	s.acknowledge(&m)
	return Append(nil, &m)
}

// sendAgain is the first part of what was not acknowledged.
func (s *Stream) sendAgain(most int) [][]byte {
	n, bytes := s.head, 0
	for n < len(s.sent) && bytes < most {
		bytes += len(s.sent[n])
		n++
	}
	return slices.Clone(s.sent[s.head:n])
}

// Tick returns what is to be said now that a while has passed: what has not come since the last one, and what came and
// was not acknowledged.
func (s *Stream) Tick() (say [][]byte) {
	if s.Unacked() > 0 && s.stuck == s.first {
		say = s.sendAgain(maxProbe)
	}
	if s.Unacked() == 0 && s.stuck == s.first {
		s.sent, s.chunk = nil, nil // an idle stream costs nothing
	}
	s.stuck, s.again = s.first, 0
	if s.owed > 0 || s.gap {
		say = append(say, s.ack())
	}
	return say
}
