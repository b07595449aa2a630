package talk

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// ID names a message: the client id that sent it, its incarnation, and its number.
type ID struct {
	Sender      string
	Incarnation uint64
	Number      uint64
}

func idOf(id envelope.ID) ID { return ID{string(id.Sender), id.Incarnation, id.Number} }

// Known is an id that was dealt with.
type Known struct {
	ID
	At time.Time // when
}

// A Keeper keeps ids beyond the life of a process. What it does in Keep comes after the application has
// dealt with the message and before that is acknowledged: a crash between the two shows the message
// again. An application that cannot have that writes the id itself, in the same step as what it does
// with the message, has nothing to do in Keep, and returns its ids by Load.
type Keeper interface {
	// Load returns what was kept, oldest first, and since when that is all: messages that were sent
	// before are marked as possibly known. New calls it once. Of more than 16,384 the latest count.
	Load() (ids []Known, since time.Time, err error)

	// Keep keeps an id. It is called one at a time; until it returns its message is not acknowledged.
	Keep(Known)
}

// The bounds of the memory.
const (
	memoryIDs  = 1024            // these are kept however old they are
	memoryTime = 5 * time.Minute // and so are those that are younger
	memoryMost = 16_384          // but not more
)

// answer is what the application said of a message: 0 for Ack.
type answer struct {
	code   codec.NackCode
	reason string
}

// memory knows the ids that were dealt with lately, and what was answered. It is pure.
type memory struct {
	answers map[ID]answer
	order   []Known   // oldest first, from head on
	head    int       // what is before it is forgotten
	since   time.Time // what was sent before may be forgotten
}

func newMemory(since time.Time) *memory {
	return &memory{answers: make(map[ID]answer), since: since}
}

// find returns what was answered to a message.
func (m *memory) find(id ID) (answer, bool) {
	a, ok := m.answers[id]
	return a, ok
}

// add remembers an id, and forgets what it needs not.
func (m *memory) add(k Known, a answer) {
	if _, ok := m.answers[k.ID]; ok {
		return
	}
	m.answers[k.ID] = a
	m.order = append(m.order, k)
	for n := len(m.order) - m.head; n > memoryMost || n > memoryIDs && k.At.Sub(m.order[m.head].At) > memoryTime; n-- {
		old := m.order[m.head]
		delete(m.answers, old.ID)
		m.order[m.head] = Known{}
		m.head++
		if old.At.After(m.since) {
			m.since = old.At
		}
	}
	if m.head > len(m.order)/2 {
		m.order = append(m.order[:0], m.order[m.head:]...)
		m.head = 0
	}
}
