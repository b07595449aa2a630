package server

import (
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Sender names who numbers messages: a client id, and an incarnation, which is the same over all
// connections of one client. With a number it names a message for ever. It can be compared, kept and
// used from any goroutine.
type Sender struct {
	ID          string
	Incarnation uint64 // 0: the client told none, and its messages have no name
}

// Ack is Session.Ack from any goroutine, at any time: also when the connection that brought the message
// has gone. The node notes it, and tells the newest session of the sender; if there is none, the client
// hears of it when it sends the message again, within five minutes after its last session here. Of
// what is said about a message twice the first counts. ACKs that follow each other in a mailbox leave as
// one, and what one goroutine asks of the newest session happens in that order.
//
// It does not block. Errors: ErrUnknown; ErrBusy (16,384 posts wait for the session's loop) and ErrClosed
// (the node stops), with which the message stays open. A client without an incarnation can be
// answered by its Session only.
func (s *Server) Ack(to Sender, number uint64) error { return s.AckRange(to, number, number, 0) }

// AckRange is Ack for all messages from first to last that are open, with a word of the application for
// its client. Another error is ErrRange: first is above last. With ErrBusy a part of them may be
// acknowledged; it may be asked for again.
func (s *Server) AckRange(to Sender, first, last uint64, what uint8) error {
	if first > last {
		return ErrRange
	}
	in := codec.Range{First: first, Last: last}
	return s.settle(to, in, gate.Mark{Word: uint16(what)}, func(m *reactor.Mailbox, session uint64, run codec.Range) error {
		return m.Ack(session, codec.AckMessage{Range: run, What: what})
	})
}

// Nack is Session.Nack from any goroutine, as Ack is. Other errors: ErrCode, and codec.ErrField for a
// reason that no frame can hold. A client that was away is told the code alone. With an error the message is
// open as before, and its sender waits: who hands on an Outcome.Code, which may be any, asks its
// ForApplications first and has another ready, codec.NackBusy where Again says so, else codec.NackRefused.
func (s *Server) Nack(to Sender, number uint64, code codec.NackCode, reason string) error {
	refusal, err := nack(number, code, reason)
	if err != nil {
		return err
	}
	if _, err := codec.AppendNack(nil, refusal); err != nil {
		return err // also where nobody is told
	}
	in := codec.Range{First: number, Last: number}
	return s.settle(to, in, gate.Mark{Refused: true, Word: uint16(code)}, func(m *reactor.Mailbox, session uint64, _ codec.Range) error {
		return m.Nack(session, refusal)
	})
}

// settle marks what is open in a range, and has the sender's newest session told of each run of it.
func (s *Server) settle(to Sender, in codec.Range, mark gate.Mark, put func(m *reactor.Mailbox, session uint64, run codec.Range) error) error {
	if s.node.Stopping.Load() {
		return ErrClosed
	}
	from := s.node.Senders.Find(to.ID, to.Incarnation)
	if from == nil {
		return ErrUnknown
	}
	var on *loop
	err := from.Settle(in, mark, func(session uint64, run codec.Range) error {
		on = (*s.loops.Load())[session>>56]
		return put(on.reactor.Mailbox(), session, run)
	})
	if on != nil {
		on.ask()
	}
	return err
}

// tell brings what one loop says of another's session to that one's mailbox.
func (s *Server) tell(v reactor.Verdict) {
	l := (*s.loops.Load())[v.Loop()]
	l.reactor.Mailbox().Verdict(v)
	l.ask()
}
