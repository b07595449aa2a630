package reactor

import (
	"errors"
)

// Errors of sending to a session.
var (
	ErrClosed = errors.New("server: session is closed")                        // Session methods; Server methods once the node stops
	ErrQueue  = errors.New("server: session has too much queued")              // Session.Deliver: it is being closed as a slow consumer
	ErrSlow   = errors.New("server: client is slow, optional message dropped") // Session.DeliverOptional
	ErrTooBig = errors.New("server: message is larger than a frame")           // Deliver and DeliverOptional
	ErrBusy   = errors.New("server: the loop's mailbox is full")               // Server methods: try later
)
