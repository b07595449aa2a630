package reactor

import "github.com/stormwheel/stormwheel/codec"

// What the application says of the client's SENDs. ACKs of one callback that follow each other
// leave as one frame, behind what else the callback sends: an answer comes before the ACK that
// promises it.

// answering is the ACK of the present callback that may still grow; Last is 0 if there is none.
type answering struct{ codec.AckMessage }

// Ack acknowledges what is open of a range of the client's SENDs, and queues that for the session of
// the present callback, or has the client's newest session told. If nothing is known of the client's
// SENDs, the range is queued as it is. The number 0 is nobody's: it is left out. It returns ErrClosed,
// or ErrRange.
func (r *Reactor) Ack(slot Slot, m codec.AckMessage) error {
	switch {
	case m.First > m.Last:
		return ErrRange
	case r.sessions.at(slot).is(gone):
		return ErrClosed
	case m.Last == 0:
		return nil
	}
	if from := r.senderOf(slot); from != nil {
		return r.settleSends(slot, from, m)
	}
	m.First = max(m.First, 1)
	r.ack(m)
	return nil
}

// ack queues an ACK for the session of the present callback.
func (r *Reactor) ack(m codec.AckMessage) {
	if a := &r.answering; a.What == m.What && a.Last != 0 && m.First-1 == a.Last {
		a.Last = m.Last
		return
	}
	r.writeAck()
	r.answering.AckMessage = m
}

// writeAck ends the ACK that could still grow.
func (r *Reactor) writeAck() {
	if r.answering.Last == 0 {
		return
	}
	r.out = codec.AppendAck(r.out, r.answering.AckMessage)
	r.answering = answering{}
	r.counters.AcksOut++
}

// discardOut forgets what the present callback has written.
func (r *Reactor) discardOut() { r.out, r.answering = r.out[:0], answering{} }

// Nack is Ack for the refusal of a SEND. It returns ErrClosed, or what codec.AppendNack does.
func (r *Reactor) Nack(slot Slot, m *codec.NackMessage) error {
	switch {
	case r.sessions.at(slot).is(gone):
		return ErrClosed
	case m.Number == 0:
		return nil
	}
	if from := r.senderOf(slot); from != nil {
		return r.refuseSend(slot, from, m)
	}
	return r.nack(m)
}

// nack queues a NACK for the session of the present callback.
func (r *Reactor) nack(m *codec.NackMessage) (err error) {
	r.writeAck() // of two words about a message the first counts
	if r.out, err = codec.AppendNack(r.out, m); err == nil {
		r.counters.NacksOut++
	}
	return err
}
