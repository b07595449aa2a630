package server

import (
	"context"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Deliver sends body to a session from any goroutine and asks for no answer. The body is copied.
// What nil means, and the errors: see Posts in the package's doc; and ErrTooBig.
func (s *Server) Deliver(to Ref, body []byte) error {
	if err := s.fits(body); err != nil {
		return err
	}
	return s.post(to, func(m *reactor.Mailbox) error { return m.Deliver(to.handle, body) })
}

// DeliverFunc is Deliver for a message that the client shall answer. Unless it returns an error,
// settled is called once with what became of it: with Unsent if the session has ended, or there
// is no room in it (ErrWindow); else as by Session.DeliverFunc. The body is copied. settled is called
// on the session's loop, never within this call, and must not block; if the node ends before the
// message came there, by whom ends it, before Wait returns. With Unsent, sessions are not of use in it, and the
// session's Closed may have been called. With nil it is Deliver. The errors are those of Deliver.
func (s *Server) DeliverFunc(to Ref, body []byte, settled func(Outcome)) error {
	if settled == nil {
		return s.Deliver(to, body)
	}
	if err := s.fits(body); err != nil {
		return err
	}
	return s.post(to, func(m *reactor.Mailbox) error { return m.DeliverAwaited(to.handle, body, settled) })
}

// DeliverAcked is DeliverFunc that waits for the outcome, from any goroutine but a handler's: until the client has
// answered, its session has ended, or ctx has. Its errors are those of Deliver, ErrWindow (MaxAwaited of the session are
// outstanding, or Config.MaxQueued bytes wait for it) and ctx's. With the last nobody knows what the client has done, and
// the message is outstanding until it answers; with any other it was not sent.
func (s *Server) DeliverAcked(ctx context.Context, to Ref, body []byte) (Outcome, error) {
	return await(ctx, func(settled func(Outcome)) error { return s.DeliverFunc(to, body, settled) })
}

// DeliverOptional is Deliver for what a slow client can do without: if more than
// Config.SoftQueued bytes would wait for it, and a message waits already, this one is dropped
// and counted. The errors are those of Deliver.
func (s *Server) DeliverOptional(to Ref, body []byte) error {
	if err := s.fits(body); err != nil {
		return err
	}
	return s.post(to, func(m *reactor.Mailbox) error { return m.DeliverOptional(to.handle, body) })
}

// MaxBody is the most bytes that the body of a message to a client may have: as many as a frame of
// Config.MaxFrame carries.
func (s *Server) MaxBody() int { return s.cfg.MaxFrame - 8 } // beside its number

func (s *Server) fits(body []byte) error {
	if len(body) > s.MaxBody() {
		return ErrTooBig
	}
	return nil
}

// post puts something into the mailbox of a session's loop, and has the loop look.
func (s *Server) post(to Ref, put func(*reactor.Mailbox) error) error {
	l, err := s.loopFor(to)
	if err != nil {
		return err
	}
	if err := put(l.reactor.Mailbox()); err != nil {
		return err
	}
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

// loopFor returns the loop of a session that goes on.
func (s *Server) loopFor(to Ref) (*loop, error) {
	if to.epoch != s.node.Epoch {
		if to.node == s.Node() {
			return nil, ErrClosed // of an earlier run
		}
		return nil, ErrNode
	}
	if s.node.Stopping.Load() || !s.live(to.handle) {
		return nil, ErrClosed
	}
	return (*s.loops.Load())[to.handle>>56], nil
}
