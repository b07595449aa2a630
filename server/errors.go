package server

import (
	"errors"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Errors of sending to a session.
var (
	ErrClosed  = reactor.ErrClosed                                               // the session has ended, or the node stops
	ErrQueue   = reactor.ErrQueue                                                // Session.Deliver: more than Config.MaxQueued would wait
	ErrSlow    = reactor.ErrSlow                                                 // Session.DeliverOptional: the client is slow
	ErrWindow  = reactor.ErrWindow                                               // DeliverFunc and Request: 256 messages are outstanding, or too many bytes wait
	ErrTooBig  = reactor.ErrTooBig                                               // Deliver and its kin: it is larger than a frame
	ErrLost    = errors.New("server: session ended before its client answered")  // Request
	ErrNoReply = errors.New("server: client has acknowledged without a reply")   // Request
	ErrRange   = reactor.ErrRange                                                // AckRange: it goes backwards
	ErrGroup   = errors.New("server: name of a group is empty or too long")      // Join, Leave, Publish, Members
	ErrGroups  = reactor.ErrGroups                                               // Session.Join
	ErrBusy    = reactor.ErrBusy                                                 // Server methods: the loop's mailbox is full, try later
	ErrOutside = errors.New("server: session is used outside its own callback")  // Session methods: Server's do it from anywhere
	ErrCode    = errors.New("server: no code for applications")                  // Close and Nack
	ErrUnknown = errors.New("server: nothing is known of the sender's messages") // Server.Ack and its kin: none was taken, or they are forgotten
	ErrNode    = errors.New("server: session of another node")                   // Server methods
)
