package server

import (
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// What other goroutines may ask of a session: it goes through its loop's mailbox.

// Deliver sends body to a session from any goroutine. It is copied. Nil means that it is
// on its way to the session's loop; whether it arrived, only Handler.Acked says. A
// session that ends meanwhile counts in Stats.Stale.
func (s *Server) Deliver(to codec.SessionID, body []byte) error {
	return s.post(to, body, false)
}

func (s *Server) post(to codec.SessionID, body []byte, optional bool) error {
	l, err := s.loopFor(to)
	if err != nil {
		return err
	}
	if len(body)+8 > s.cfg.MaxFrame {
		return ErrTooBig
	}
	if err := l.reactor.Mailbox().Deliver(to.Handle, body, optional); err != nil {
		return err
	}
	l.ask()
	return nil
}

// DeliverOptional is Deliver for what a slow client can do without: if more than
// Config.SoftQueued bytes would wait for it, and a message waits already, this one is dropped
// and counted.
func (s *Server) DeliverOptional(to codec.SessionID, body []byte) error {
	return s.post(to, body, true)
}

// Ack acknowledges a message of a session from any goroutine.
func (s *Server) Ack(to codec.SessionID, id uint64) error {
	l, err := s.loopFor(to)
	if err != nil {
		return err
	}
	if err := l.reactor.Mailbox().Ack(to.Handle, id); err != nil {
		return err
	}
	l.ask()
	return nil
}

// Close ends a session with a GOAWAY of the given code, without a delay or a window, from any
// goroutine: one that
// Session.Close takes, or ErrCode. It never fails for want of room, and does not overtake what
// the same goroutine has sent and acknowledged before: that is written before the GOAWAY.
func (s *Server) Close(to codec.SessionID, code codec.Code) error {
	l, err := s.loopFor(to)
	if err != nil {
		return err
	}
	if code, err = closeCode(code); err != nil {
		return err
	}
	l.reactor.Mailbox().Close(to.Handle, code)
	l.ask()
	return nil
}

// forward brings what one loop asks of another to that one's mailbox.
func (s *Server) forward(c reactor.Closing) {
	loops := *s.loops.Load() // also while the node stops: a place may hang on it
	if index := int(c.Loop()); index < len(loops) {
		loops[index].reactor.Mailbox().Forward(c)
		loops[index].ask()
	}
}

func (s *Server) loopFor(id codec.SessionID) (*loop, error) {
	loops := *s.loops.Load()
	index := int(id.Handle >> 56)
	if s.node.Stopping.Load() {
		return nil, ErrClosed
	}
	if id.Epoch != s.node.Epoch || index >= len(loops) {
		return nil, ErrNoSuch
	}
	return loops[index], nil
}
