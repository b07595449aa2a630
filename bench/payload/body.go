package payload

import (
	"encoding/binary"
	"time"
)

// HeaderLen is what every body begins with, in bytes: "SWB", the kind, the number and the time in
// nanoseconds, big-endian. What follows is filler.
const HeaderLen = 20

var magic = [3]byte{'S', 'W', 'B'}

// Kind tells bodies apart.
type Kind byte

const (
	Sent        Kind = 'S' // by a client; a node that echoes sends it back
	Publication Kind = 'P' // by a node, to all of its clients
)

// Message is what a body says.
type Message struct {
	Kind   Kind
	Number uint64
	Due    time.Duration // when it was to be sent, on the clock of Monotonic
}

// Put writes the header of a body, which has HeaderLen bytes or more.
func Put(body []byte, m Message) {
	copy(body, magic[:])
	body[3] = byte(m.Kind)
	binary.BigEndian.PutUint64(body[4:], m.Number)
	binary.BigEndian.PutUint64(body[12:], uint64(m.Due))
}

// Parse reads it; not ok: it is no message of a load test.
func Parse(body []byte) (m Message, ok bool) {
	if len(body) < HeaderLen || [3]byte(body[:3]) != magic {
		return m, false
	}
	return Message{Kind: Kind(body[3]), Number: binary.BigEndian.Uint64(body[4:]), Due: time.Duration(binary.BigEndian.Uint64(body[12:]))}, true
}

// Schedule is when publications are due: at the multiples of it on the clock of Monotonic, the
// n-th at n times it. So all nodes of a machine publish at the same moments, and whoever knows the
// schedule knows which publications there were, and which did not come.
type Schedule time.Duration

// Due is when publication n is due.
func (s Schedule) Due(n uint64) time.Duration { return time.Duration(n) * time.Duration(s) }

// Number is that of the latest publication that is due at t.
func (s Schedule) Number(t time.Duration) uint64 { return uint64(max(t, 0) / time.Duration(s)) }

// Publication is number n.
func (s Schedule) Publication(n uint64) Message {
	return Message{Kind: Publication, Number: n, Due: s.Due(n)}
}

// Has reports whether a message is a publication of this schedule.
func (s Schedule) Has(m Message) bool { return m == s.Publication(m.Number) }
