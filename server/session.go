package server

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Session is the handler's view of one client. It is to be used in the callbacks that it is
// passed to, on their goroutine; to reach the client from elsewhere or later, keep Ref and use the
// methods of Server, which has the same. A Session that is kept never speaks for another
// client: outside its own callbacks the methods that return an error answer ErrOutside, and ErrClosed once
// the session has ended, and the others the zero value, but for those that may be asked at any time: Ref,
// Incarnation, Attempt, Stamp, Loop and Previous.
type Session struct {
	app         *application
	handle      uint64
	incarnation uint64
	previous    uint64 // handle of the session whose place it took, plus one; 0: of none
	attempt     uint32
	stamp       uint64 // what Handler.Stamp has said
	use         atomic.Uint32

	// Owned by the loop.
	user  string // what the authenticator said, if it did
	data  any
	since int64 // Unix time in nanoseconds
}

// What a Session's use is. A method holds it while it runs: whoever calls one from a wrong
// goroutine must not write into another client's output.
const (
	useNone  uint32 = iota // no callback of it runs
	useOpen                // one does
	useHeld                // and one of its methods, too
	useEnded               // there will be none any more
)

// enter begins a method.
func (s *Session) enter() (slot reactor.Slot, err error) {
	for !s.use.CompareAndSwap(useOpen, useHeld) {
		switch s.use.Load() {
		case useNone:
			return 0, ErrOutside
		case useEnded:
			return 0, ErrClosed
		}
		runtime.Gosched() // a wrong goroutine is in a method, for a moment
	}
	return reactor.SlotOf(s.handle), nil
}

func (s *Session) leave() { s.use.Store(useOpen) }

// finish ends a callback, or the session.
func (s *Session) finish(use uint32) {
	for {
		switch was := s.use.Load(); {
		case was == useHeld:
			runtime.Gosched() // a wrong goroutine is in a method, for a moment
		case s.use.CompareAndSwap(was, use):
			return
		}
	}
}

// Ack tells the client that its message of that number is dealt with: the client will not send it
// again. It leaves behind what else the callback writes, in one frame for messages that are
// acknowledged in their order, and costs no allocation. The number 0, of a message that wants no
// answer, is nobody's: nothing happens. Of what is said about a message twice the first counts, and
// what was not taken is not acknowledged. It may be a message that came over an earlier connection, or
// has come again over a later one: the client hears of it there. The error is ErrOutside or ErrClosed;
// Server.Ack works at any time.
func (s *Session) Ack(number uint64) error { return s.AckRange(number, number, 0) }

// AckRange is Ack for all messages from first to last, with a word of the application for its
// client: what it did with them; 0 says that it took them. ErrRange: first is above last.
func (s *Session) AckRange(first, last uint64, what uint8) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Ack(slot, codec.AckMessage{Range: codec.Range{First: first, Last: last}, What: what})
}

// Nack tells the client that its message of that number is refused for good; the session goes on.
// The codes for applications are those that codec names, 50 to 99 for "try again", and those from
// 1000 on; any other is ErrCode. The reason is text for people, at most codec.MaxReason bytes
// without control characters; may be empty. Number 0 is as in Ack.
func (s *Session) Nack(number uint64, code codec.NackCode, reason string) error {
	m, err := nack(number, code, reason)
	if err != nil {
		return err
	}
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Nack(slot, m)
}

// nack is what an application may refuse a message with.
func nack(number uint64, code codec.NackCode, reason string) (*codec.NackMessage, error) {
	if !code.ForApplications() {
		return nil, fmt.Errorf("%w: NACK %d", ErrCode, uint16(code))
	}
	return &codec.NackMessage{Number: number, Code: code, Reason: []byte(reason)}, nil
}

// Deliver sends body, which is copied, to the client, and asks for no answer: nothing is kept of
// it, and it is lost with its connection. Nil means that it waits to be written when the callback
// returns. The error is ErrOutside, ErrClosed, ErrTooBig, or ErrQueue: with it more than
// Config.MaxQueued would wait, and if the client has not read what came before this callback, it is
// closed as a slow consumer.
func (s *Session) Deliver(body []byte) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Deliver(slot, body)
}

// DeliverFunc is Deliver for a message that the client shall answer. Unless it returns an error,
// settled is called once with what became of it, on the session's loop, as a handler is: it must
// not block, a panic ends the session, and the session may be used in it (where the outcome is
// Lost, as in Handler.Closed, which is called later). It may be one function for all messages: the
// outcome names session and number. With nil it is Deliver.
//
// At most MaxAwaited of a session may be outstanding, and Config.MaxQueued bytes wait to be written;
// the next is ErrWindow. That ends nobody: the client is slow to read or to answer, and the outcome
// of another makes room.
func (s *Session) DeliverFunc(body []byte, settled func(Outcome)) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	if settled == nil {
		return s.app.r.Deliver(slot, body)
	}
	return s.app.r.DeliverAwaited(slot, body, settled)
}

// DeliverOptional is Deliver for what a slow client can do without: if more than
// Config.SoftQueued bytes would wait for it, and a message waits already, this one is dropped
// and the error is ErrSlow.
func (s *Session) DeliverOptional(body []byte) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.DeliverOptional(slot, body)
}
