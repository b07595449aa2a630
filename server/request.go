package server

import (
	"context"
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Request asks the client of a session and returns its reply, which is the caller's, from any
// goroutine but a handler's: it blocks until the client has answered, its session has ended, or ctx
// has. The body is copied; one request costs one DELIVER and a channel.
//
// Errors: *RefusedError if the client's application refuses it, ErrNoReply if it has acknowledged it
// without a reply (as a handler does that knows of no replies), ErrLost if the session ended before
// its answer, and ctx's: with any of these but the refusal nobody knows what the client has done. ErrWindow (MaxAwaited
// of the session are outstanding, or Config.MaxQueued bytes wait for it), and those of Deliver:
// it was not asked. A request whose ctx ended stays outstanding until the client answers.
func (s *Server) Request(ctx context.Context, to Ref, body []byte) ([]byte, error) {
	o, err := await(ctx, func(settled func(Outcome)) error { return s.RequestFunc(to, body, settled) })
	if err != nil {
		return nil, err
	}
	return o.answer()
}

// RequestFunc is DeliverFunc for a message that wants a reply: the outcome is Replied, with
// Outcome.Reply, if the client sends one. settled must not be nil. The errors are those of Deliver.
func (s *Server) RequestFunc(to Ref, body []byte, settled func(Outcome)) error {
	if err := s.fits(body); err != nil {
		return err
	}
	return s.post(to, func(m *reactor.Mailbox) error { return m.Request(to.handle, body, asking(settled)) })
}

// Reply is Session.Reply from any goroutine, at any time, as Ack is. A client that is away hears of its
// repeat that it was acknowledged, since nobody keeps a reply. The body is copied. Other errors than
// those of Ack: ErrTooBig.
func (s *Server) Reply(to Sender, number uint64, body []byte) error {
	if len(body)+16 > s.cfg.MaxFrame {
		return ErrTooBig
	}
	in := codec.Range{First: number, Last: number}
	return s.settle(to, in, gate.Mark{}, func(m *reactor.Mailbox, session uint64, _ codec.Range) error {
		return m.Reply(session, number, body)
	})
}

// RequestFunc is DeliverFunc for a message that wants a reply: the outcome is Replied, with
// Outcome.Reply, if the client sends one. settled must not be nil.
func (s *Session) RequestFunc(body []byte, settled func(Outcome)) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Request(slot, body, asking(settled))
}

// Reply answers a message that wants a reply, where Ack would acknowledge it; of one that does not, it
// is an ACK that costs more. The body, which is copied, is 8 bytes shorter than one of Deliver may
// be, and waits to be written as that would: the errors are those of Deliver, and with one the
// message has no answer yet. Number 0 is as in Ack.
func (s *Session) Reply(number uint64, body []byte) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Reply(slot, number, body)
}

// asking is what waits for the outcome of a request: another type than of DeliverFunc, to which a
// reply is an acknowledgement.
type asking func(Outcome)

// waits returns the function that waits for an outcome, and the outcome as it is told.
func waits(w reactor.Waiter, o Outcome) (func(Outcome), Outcome) {
	if settled, ok := w.(asking); ok {
		return settled, o
	}
	if o.Result == Replied {
		o.Result, o.Reply = Acknowledged, nil
	}
	return w.(func(Outcome)), o
}

// answer is the outcome of a request as Request returns it.
func (o *Outcome) answer() (reply []byte, err error) {
	switch o.Result {
	case Replied:
		return o.Reply, nil
	case Acknowledged:
		return nil, ErrNoReply
	case Refused:
		return nil, &RefusedError{o.Code, o.Reason}
	case Lost:
		return nil, fmt.Errorf("%w: %s", ErrLost, o.End)
	default:
		return nil, o.Err
	}
}

// RefusedError is the NACK of a client's application: it does not do what it was asked. Request
// returns it.
type RefusedError struct {
	Code   codec.NackCode // from 1 to 99: not now; see codec.NackCode
	Reason string         // the client's words, "" if it has none; not to be trusted
}

// Error names the code and quotes the reason.
func (e *RefusedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("server: request is refused: %s", e.Code)
	}
	return fmt.Sprintf("server: request is refused: %s: %q", e.Code, e.Reason)
}

// Again tells whether the same request may be taken another time.
func (e *RefusedError) Again() bool { return e.Code.Again() }
