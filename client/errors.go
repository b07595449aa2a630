package client

import (
	"errors"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// What the methods return.
var (
	ErrClosed   = errors.New("client: closed")                                               // Send and Run after Close
	ErrRan      = errors.New("client: Run was called before")                                // Run
	ErrTooLarge = link.ErrTooLarge                                                           // Send
	ErrLost     = link.ErrLost                                                               // SendAcked, Request and Settled, under AtMostOnce, within ErrUnknown
	ErrUnknown  = errors.New("client: the message may have arrived or not")                  // SendAcked, Request and Settled
	ErrNoReply  = errors.New("client: the message was dealt with, and there is no reply")    // Request
	ErrAnswered = errors.New("client: the message has an answer, or its connection is gone") // Ack, AckWith, Nack and Reply
	ErrCode     = errors.New("client: no code for applications")                             // Nack
	ErrNotAsked = errors.New("client: the message wants no reply")                           // Reply
)

// CodeError is the reason that a server gave for sending the client away: what Run returns
// where that ends the client for good, and what Info.LastError tells of the latest.
type CodeError struct {
	Code   codec.Code // codec.Code says what each means for the client
	Reason string     // the server's words, "" if it has none; not to be trusted
}

// Error names the code and quotes the reason.
func (e *CodeError) Error() string { return (*link.CodeError)(e).Error() }

// RefusedError is the NACK of the server's application: it does not take the message. It is
// what SendAcked and Request return, and Outcome.Err.
type RefusedError struct {
	Code   codec.NackCode // from 1 to 99: not now; see codec.NackCode
	Reason string         // the server's words, "" if it has none; not to be trusted
}

// Error names the code and quotes the reason.
func (e *RefusedError) Error() string { return "client: " + (*link.RefusedError)(e).Error() }

// Again tells whether the same message may be taken another time.
func (e *RefusedError) Again() bool { return e.Code.Again() }

// public is an error of the link as the application sees it.
func public(err error) error {
	switch e := err.(type) {
	case *link.CodeError:
		return (*CodeError)(e)
	case *link.RefusedError:
		return (*RefusedError)(e)
	default:
		return err
	}
}
