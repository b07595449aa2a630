package server

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Session is the handler's view of one client. It is to be used in the callbacks that it is
// passed to, on their goroutine; to reach the client from elsewhere or later, keep ID and use
// Server.Deliver, Server.Ack and Server.Close. A Session that is kept never speaks for another
// client: outside its own callbacks its methods answer ErrOutside, and ErrClosed once the
// session has ended.
type Session struct {
	app         *application
	handle      uint64
	incarnation uint64
	attempt     uint32
	use         atomic.Uint32
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

// ID names the session on this node and across its restarts. It is no credential. It may be
// asked for at any time.
func (s *Session) ID() codec.SessionID {
	return codec.SessionID{Epoch: s.app.epoch, Handle: s.handle}
}

// Incarnation is the random number of the client's process (of its Client value) that HELLO
// told; zero if it told none. It may be asked for at any time.
func (s *Session) Incarnation() uint64 { return s.incarnation }

// Attempt counts the connects of an incarnation. An application that keeps one session a client
// compares: of two with the same incarnation the one with the higher attempt is the newer,
// whichever was opened first, since a HELLO may lie unread for a while; the other is closed
// with codec.CodeSuperseded, never with codec.CodeReplaced, which would stop the client. It may be
// asked for at any time.
func (s *Session) Attempt() uint32 { return s.attempt }

// ClientID returns the id from the client's HELLO; empty outside a callback. It allocates a string.
func (s *Session) ClientID() string {
	slot, err := s.enter()
	if err != nil {
		return ""
	}
	defer s.leave()
	return string(s.app.r.ClientID(slot))
}

// Ack tells the client that its message id was taken. It leaves with what else the
// callback writes.
func (s *Session) Ack(id uint64) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Ack(slot, id)
}

// Deliver sends body to the client and returns the number that its ACK will carry. Nil
// means written, not delivered: only Handler.Acked says that. The body is copied.
func (s *Session) Deliver(body []byte) (id uint64, err error) {
	slot, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	return s.app.r.Deliver(slot, body)
}

// DeliverOptional is Deliver for what a slow client can do without: if more than
// Config.SoftQueued bytes would wait for it, and a message waits already, this one is dropped
// and the error is ErrSlow.
func (s *Session) DeliverOptional(body []byte) (id uint64, err error) {
	slot, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	return s.app.r.DeliverOptional(slot, body)
}

// Close ends the session with a GOAWAY of the given code when the callback returns, behind what
// was sent to it and posted for it before. It counts as ReasonKicked, and in Closed it does
// nothing. The codes for applications are codec.CodeKicked, which zero means, codec.CodeReplaced,
// codec.CodeSuperseded and codec.CodeInUse, and those that are theirs alone: 3150 to 3199 for
// "return here", 3450 to 3499 for "elsewhere", 3900 to 3999 for "not again". With any other,
// which means what the server alone can know (3201 begins a handover), nothing happens and the
// error is ErrCode.
func (s *Session) Close(code codec.Code) error {
	code, err := closeCode(code)
	if err != nil {
		return err
	}
	if _, err = s.enter(); err != nil {
		return err
	}
	defer s.leave()
	s.app.r.Kick(code)
	return nil
}

// closeCode is the code that an application may close with.
func closeCode(code codec.Code) (codec.Code, error) {
	switch {
	case code == 0:
		return codec.CodeKicked, nil
	case code == codec.CodeKicked, code == codec.CodeReplaced, code == codec.CodeSuperseded, code == codec.CodeInUse,
		code >= 3150 && code < 3200, code >= 3450 && code < 3500, code >= 3900 && code < 4000:
		return code, nil
	default:
		return 0, fmt.Errorf("%w: %d %s", ErrCode, uint16(code), code)
	}
}
