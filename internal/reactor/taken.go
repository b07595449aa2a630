package reactor

import (
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// SENDs with a number are taken once by the node, however often and by whatever connections they
// come (gate.Senders). A client that told no incarnation has no name for its SENDs: all are handled.

// sending is what a session's SENDs are held against; none until it has sent one with a number.
type sending struct {
	from    *gate.Sender
	attempt uint32
}

// senders are those of the sessions that have one: a chunk is there once one of its sessions has
// sent something. Owned by the loop.
type senders []*[sessionChunk]sending

// of returns what a session has, nil if nothing.
func (t senders) of(slot Slot) *sending {
	if i := int(slot >> sessionChunkBits); i < len(t) && t[i] != nil {
		if s := &t[i][slot&(sessionChunk-1)]; s.from != nil {
			return s
		}
	}
	return nil
}

// put has a session refer to its sender.
func (t *senders) put(slot Slot, s sending) *sending {
	i := int(slot >> sessionChunkBits)
	for i >= len(*t) {
		*t = append(*t, nil)
	}
	if (*t)[i] == nil {
		(*t)[i] = new([sessionChunk]sending)
	}
	at := &(*t)[i][slot&(sessionChunk-1)]
	*at = s
	return at
}

func (t senders) inUse() (n int) {
	for slot := range Slot(len(t) * sessionChunk) {
		if t.of(slot) != nil {
			n++
		}
	}
	return n
}

// take handles a SEND of a session: it is the application's, or has been.
func (r *Reactor) take(slot Slot, number uint64, body []byte, wantsReply bool) {
	s := r.sendingOf(slot, number)
	if s == nil {
		r.app.Message(slot, number, body, wantsReply)
		if r.failed() && number != 0 {
			_ = r.nack(&codec.NackMessage{Number: number, Code: codec.NackInternal})
		}
		return
	}
	switch fate, mark := s.from.Take(number, r.Handle(slot), s.attempt); fate {
	case gate.FateNew:
		r.app.Message(slot, number, body, wantsReply)
		if r.failed() {
			r.refuseFailed(slot, s.from, number)
		}
	case gate.FateSettled:
		r.counters.RepeatsAnswered++
		r.sayAgain(number, mark)
	default:
		r.counters.RepeatsDropped++
	}
}

// failed says that the application has failed just now. The session ends, and its client would send
// again what is not settled: a message that no handler can bear would end one session after the other.
func (r *Reactor) failed() bool { return r.kick == codec.CodeInternal }

// refuseFailed tells that a message is refused at which the application has failed, unless it had
// settled it before. The message may be taken another time, if this word does not arrive.
func (r *Reactor) refuseFailed(slot Slot, from *gate.Sender, number uint64) {
	open, newest, elsewhere := from.Fail(number, r.Handle(slot), codec.NackInternal)
	if !open {
		return
	}
	m := codec.NackMessage{Number: number, Code: codec.NackInternal}
	_ = r.nack(&m)
	if elsewhere {
		r.tell(Verdict{Handle: newest, Nack: &m})
	}
}

// sendingOf returns what a SEND is held against, nil if it has no name.
func (r *Reactor) sendingOf(slot Slot, number uint64) *sending {
	if number == 0 {
		return nil
	}
	if s := r.senders.of(slot); s != nil {
		return s
	}
	origin := r.app.Origin(slot)
	if origin.Incarnation == 0 {
		return nil
	}
	from := r.node.Senders.Join(r.ClientID(slot), origin.Incarnation)
	return r.senders.put(slot, sending{from, origin.Attempt})
}

// senderOf returns the sender that a session is a connect of, nil if nothing is known of it.
func (r *Reactor) senderOf(slot Slot) *gate.Sender {
	if s := r.senders.of(slot); s != nil {
		return s.from
	}
	origin := r.app.Origin(slot)
	if origin.Incarnation == 0 {
		return nil
	}
	return r.node.Senders.Find(string(r.ClientID(slot)), origin.Incarnation)
}

// SenderID is the client id of a session. It allocates nothing when the session has sent something with
// a number.
func (r *Reactor) SenderID(slot Slot) string {
	if s := r.senders.of(slot); s != nil {
		return s.from.ID()
	}
	return string(r.ClientID(slot))
}

// leaveSender gives back what an ended session has.
func (r *Reactor) leaveSender(slot Slot) {
	if s := r.senders.of(slot); s != nil {
		r.node.Senders.Leave(s.from, r.Handle(slot), r.clock.real)
		*s = sending{}
	}
}

// sayAgain answers a repeat as its message was answered.
func (r *Reactor) sayAgain(number uint64, m gate.Mark) {
	if m.Refused {
		_ = r.nack(&codec.NackMessage{Number: number, Code: codec.NackCode(m.Word)})
		return
	}
	ack := codec.AckOf(number)
	ack.What = uint8(m.Word)
	r.ack(ack)
}

// settleSends marks what is open of a range, and tells the client's newest session, which is this one or
// one that another loop may have.
func (r *Reactor) settleSends(slot Slot, from *gate.Sender, m codec.AckMessage) error {
	return from.Settle(m.Range, gate.Mark{Word: uint16(m.What)}, func(session uint64, run codec.Range) error {
		m := codec.AckMessage{Range: run, What: m.What}
		if session == r.Handle(slot) {
			r.ack(m)
		} else {
			r.tell(Verdict{Handle: session, Ack: m})
		}
		return nil
	})
}

// refuseSend is settleSends for a NACK.
func (r *Reactor) refuseSend(slot Slot, from *gate.Sender, m *codec.NackMessage) error {
	if _, err := codec.AppendNack(r.out[len(r.out):], m); err != nil {
		return err // also if nobody is to be told
	}
	one := codec.Range{First: m.Number, Last: m.Number}
	return from.Settle(one, gate.Mark{Refused: true, Word: uint16(m.Code)}, func(session uint64, _ codec.Range) error {
		if session == r.Handle(slot) {
			return r.nack(m)
		}
		r.tell(Verdict{Handle: session, Nack: m})
		return nil
	})
}

// replySend is settleSends for a reply, which is told to whom it wants; to who is away its SEND is
// acknowledged, and the reply is lost.
func (r *Reactor) replySend(slot Slot, from *gate.Sender, to uint64, body []byte) error {
	one := codec.Range{First: to, Last: to}
	return from.Settle(one, gate.Mark{}, func(session uint64, _ codec.Range) error {
		if session == r.Handle(slot) {
			return r.reply(slot, to, body)
		}
		r.tell(Verdict{Handle: session, Ack: codec.AckOf(to), Replied: true, Reply: body})
		return nil
	})
}

// Verdict is what the application of one loop has said of a SEND whose client's newest session
// another one has. Loop says whose mailbox it is for, where it always fits: there are no more than
// messages that are open.
type Verdict struct {
	Handle  uint64             // of that session
	Ack     codec.AckMessage   // unless there is a Nack
	Nack    *codec.NackMessage // valid until the call returns
	Replied bool               // Ack names what Reply replies to
	Reply   []byte             // valid until the call returns
}

// Loop is the number of the loop that has the session.
func (v *Verdict) Loop() uint8 { return uint8(v.Handle >> 56) }
