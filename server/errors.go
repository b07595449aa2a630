package server

import (
	"errors"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Errors of sending to a session.
var (
	ErrClosed  = reactor.ErrClosed                                              // Session methods; Server methods once the node stops
	ErrQueue   = reactor.ErrQueue                                               // Session.Deliver: it is being closed as a slow consumer
	ErrSlow    = reactor.ErrSlow                                                // Session.DeliverOptional: the client is slow
	ErrTooBig  = reactor.ErrTooBig                                              // Deliver and DeliverOptional: it is larger than a frame
	ErrBusy    = reactor.ErrBusy                                                // Server methods: the loop's mailbox is full, try later
	ErrOutside = errors.New("server: session is used outside its own callback") // Session methods: Server's do it from anywhere
	ErrCode    = errors.New("server: no code for applications")                 // Close of Session and Server
	ErrNoSuch  = errors.New("server: session is unknown or of an old run")      // Server methods
)
