package between

import "errors"

// ErrFull is what Link.Send returns when so much is not acknowledged that nothing more may be.
var ErrFull = errors.New("between: too much is under way to that node")

// HadLost is the Result of a HAIL to a node that was had for lost: what it asked before is forgotten.
const HadLost uint64 = 1

const (
	maxUnacked = 16 << 20 // bytes of frames that a Link keeps to say them again
	maxAnswers = 64 << 20 // the same, if it is an answer, or else nothing that somebody wants to be sent
	maxAgain   = 1 << 20  // bytes that it says again at a time, when the peer says that they are lost
	maxProbe   = 16 << 10 // bytes that it says again when nothing is heard: the peer tells then what else is lost
	ackEvery   = 64       // frames after which it acknowledges by itself
)

// Link is one direction from this hub to another's, and what has come of the other direction. What is sent is
// numbered and kept until the peer has said that it came; what is lost is sent again, with all that was sent
// behind it. So each frame is taken once and in order, while neither end begins anew.
//
// Its user has Tick called a few times a second, and sends what Send, Take and Tick return at once and in that
// order. Not for concurrent use.
type Link struct {
	id    uint64
	sent  [][]byte // not acknowledged
	first uint64   // the number of sent[0], or of what is sent next
	bytes int      // of sent
	stuck uint64   // first, as of the last Tick
	again uint64   // from where it was sent again since then; 0: it was not

	from  uint64 // the peer's link; 0: nothing has come
	was   uint64 // the one before
	taken uint64 // the last number that came of it
	owed  int    // frames that it has not been told about
	gap   bool   // something is missing, and it was told
}

// NewLink returns a link under an id, which is not 0, and which no other link between these nodes has had.
func NewLink(id uint64) *Link { return &Link{id: id, first: 1} }

// Begin begins anew under another id: what was not acknowledged is forgotten. What came of the peer's link is not.
func (l *Link) Begin(id uint64) {
	l.id, l.sent, l.first, l.bytes, l.stuck, l.again = id, nil, 1, 0, 0, 0
}

// Send returns the frame of a message, which nobody may change. Where there is no room for more messages, there
// still is for answers.
func (l *Link) Send(m *Message) ([]byte, error) {
	if l.bytes >= maxAnswers || l.bytes >= maxUnacked && m.Kind.isLoad() {
		return nil, ErrFull
	}
	m.Link, m.Number = l.id, l.first+uint64(len(l.sent))
	l.acknowledge(m)
	frame := Append(nil, m)
	l.sent = append(l.sent, frame)
	l.bytes += len(frame)
	return frame, nil
}

// TakeBack forgets the last frame that Send returned: the bus will never take it.
func (l *Link) TakeBack() {
	last := len(l.sent) - 1
	l.bytes -= len(l.sent[last])
	l.sent[last] = nil
	l.sent = l.sent[:last]
}

// Unacked is how many frames the peer has not said to have.
func (l *Link) Unacked() int { return len(l.sent) }

func (l *Link) acknowledge(m *Message) {
	m.AckLink, m.Acked = l.from, l.taken
	l.owed = 0
}

// Verdict is what to do with a message that has come.
type Verdict uint8

// Verdicts.
const (
	Drop  Verdict = iota // it is a copy, or something before it is missing
	Use                  // it is the next
	Anew                 // it is the first of a link that the peer has begun, and not the first such: he has forgotten what was asked of him
	Plain                // it belongs to no link
)

// Take notes a message of the peer's, and returns what is to be said now.
func (l *Link) Take(m *Message) (v Verdict, say [][]byte) {
	if m.AckLink == l.id {
		l.acked(m.Acked)
		if m.Again != 0 && l.again != l.first {
			l.again = l.first
			say = l.sendAgain(maxAgain)
		}
	}
	switch v = l.verdict(m); v {
	case Use, Anew:
		l.taken, l.gap = m.Number, false
	case Plain:
		return v, say
	}
	l.owed++
	switch {
	case m.Link == l.from && m.Number > l.taken && !l.gap:
		l.gap = true
		say = append(say, l.ack())
	case l.owed >= ackEvery:
		say = append(say, l.ack())
	}
	return v, say
}

func (l *Link) verdict(m *Message) Verdict {
	switch {
	case m.Number == 0 || m.Link == 0:
		return Plain
	case m.Link != l.from && (m.Number != 1 || m.Link == l.was):
		return Drop
	case m.Link != l.from:
		l.was, l.from, l.taken = l.from, m.Link, 0
		if l.was != 0 {
			return Anew
		}
		return Use
	case m.Number == l.taken+1:
		return Use
	}
	return Drop
}

// acked forgets what has come to the peer.
func (l *Link) acked(to uint64) {
	for len(l.sent) > 0 && l.first <= to {
		l.bytes -= len(l.sent[0])
		l.sent[0] = nil
		l.sent = l.sent[1:]
		l.first++
	}
	if len(l.sent) == 0 {
		l.sent = nil
	}
}

// ack is an acknowledgement alone.
func (l *Link) ack() []byte {
	m := Message{Kind: Ack}
	if l.gap {
		m.Again = 1
	}
	l.acknowledge(&m)
	return Append(nil, &m)
}

// sendAgain is the first part of what was not acknowledged.
func (l *Link) sendAgain(most int) [][]byte {
	n, bytes := 0, 0
	for n < len(l.sent) && bytes < most {
		bytes += len(l.sent[n])
		n++
	}
	return append([][]byte(nil), l.sent[:n]...)
}

// Tick returns what is to be said now that a while has passed: what has not come since the last one, and what came and
// was not acknowledged.
func (l *Link) Tick() (say [][]byte) {
	if len(l.sent) > 0 && l.stuck == l.first {
		say = l.sendAgain(maxProbe)
	}
	l.stuck, l.again = l.first, 0
	if l.owed > 0 || l.gap {
		say = append(say, l.ack())
	}
	return say
}
