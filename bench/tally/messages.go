package tally

import (
	"github.com/stormwheel/stormwheel/bench/result"
)

// Messages is what clients sent, and what they got, beside heartbeats.
type Messages struct {
	Carried bool // there was something to send or to get

	Sent         int // due, handed to the link or not
	Acknowledged int
	Refused      int
	TryLater     int // of the refused, with code 82
	Lost         int // given up, or not settled at the end
	Pending      int // of those, not settled at the end
	Doubled      int // acknowledged ones that went over two connections, and publications that came twice
	Durable      int // of the acknowledged, on a node's disk
	Held         int // of the acknowledged, in a node's memory
	HeldLost     int // of the held, did not come to their addressee
	Confirmed    int // their sender knows that their addressee has them

	Delivered   int
	Undelivered int
	Offline     int // of those, due while the client had no session
	Awaited     int // clients that wait for a publication which was due when the count was closed
}

// Add takes what another loop, or swarm, has.
func (m *Messages) Add(o *Messages) {
	m.Carried = m.Carried || o.Carried
	m.Sent += o.Sent
	m.Acknowledged += o.Acknowledged
	m.Refused += o.Refused
	m.TryLater += o.TryLater
	m.Lost += o.Lost
	m.Pending += o.Pending
	m.Doubled += o.Doubled
	m.Durable += o.Durable
	m.Held += o.Held
	m.HeldLost += o.HeldLost
	m.Confirmed += o.Confirmed
	m.Delivered += o.Delivered
	m.Undelivered += o.Undelivered
	m.Offline += o.Offline
	m.Awaited += o.Awaited
}

// Waiting is how many messages are neither settled nor given up, and how many clients wait for a
// publication after the count was closed.
func (m *Messages) Waiting() int { return m.Sent - m.Acknowledged - m.Refused - m.Lost + m.Awaited }

// fill is nil of a run that carries none.
func (m *Messages) fill() *result.Messages {
	if !m.Carried {
		return nil
	}
	return &result.Messages{Sent: m.Sent, Acknowledged: m.Acknowledged, Refused: m.Refused, TryLater: m.TryLater, Lost: m.Lost, Pending: m.Pending, Doubled: m.Doubled,
		Durable: m.Durable, Held: m.Held, HeldLost: m.HeldLost, Confirmed: m.Confirmed,
		Published: m.Delivered + m.Undelivered, Delivered: m.Delivered, Undelivered: m.Undelivered, Offline: m.Offline}
}

// messagesOf is the reverse.
func messagesOf(r *result.Messages) Messages {
	if r == nil {
		return Messages{}
	}
	return Messages{Carried: true, Sent: r.Sent, Acknowledged: r.Acknowledged, Refused: r.Refused, TryLater: r.TryLater, Lost: r.Lost, Pending: r.Pending, Doubled: r.Doubled,
		Durable: r.Durable, Held: r.Held, HeldLost: r.HeldLost, Confirmed: r.Confirmed,
		Delivered: r.Delivered, Undelivered: r.Undelivered, Offline: r.Offline}
}

// addIfAny adds a histogram that only runs of a kind have.
func addIfAny(to **Hist, from *Hist) {
	switch {
	case from == nil:
	case *to == nil:
		*to = NewHist()
		fallthrough
	default:
		(*to).Add(from)
	}
}
