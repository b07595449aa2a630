package server

import "errors"

// Errors of sending to a session.
var (
	ErrClosed  = errors.New("server: session is closed")                        // Session methods; Server methods once the node stops
	ErrOutside = errors.New("server: session is used outside its own callback") // Session methods: Server's do it from anywhere
	ErrQueue   = errors.New("server: session has too much queued")              // Session.Deliver: it is being closed as a slow consumer
	ErrSlow    = errors.New("server: client is slow, optional message dropped") // Session.DeliverOptional
	ErrTooBig  = errors.New("server: message is larger than a frame")           // Deliver and DeliverOptional
	ErrBusy    = errors.New("server: the loop's mailbox is full")               // Server methods: try later
	ErrCode    = errors.New("server: no code for applications")                 // Close of Session and Server
	ErrNoSuch  = errors.New("server: session is unknown or of an old run")      // Server methods
)
