package reactor

import "errors"

// Errors of sending to a session, which package server has as its own.
var (
	ErrClosed = errors.New("server: session is closed")                         // it has ended
	ErrQueue  = errors.New("server: session has too much queued")               // Deliver: more than MaxQueued would wait
	ErrSlow   = errors.New("server: client is slow, optional message dropped")  // DeliverOptional
	ErrWindow = errors.New("server: session has too many messages outstanding") // DeliverAwaited: it has MaxAwaited
	ErrRange  = errors.New("server: range goes backwards")                      // Ack
	ErrTooBig = errors.New("server: message is larger than a frame")            // Deliver and DeliverOptional
	ErrGroups = errors.New("server: session is in too many groups")             // JoinGroup
	ErrBusy   = errors.New("server: the loop's mailbox is full")                // the mailbox: try later
)
