package messaging

import (
	"errors"
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// What the methods of Hub return beside a *Refusal.
var (
	ErrNotStarted = errors.New("messaging: the hub was not started")                    // Push, PushRoom, Broadcast
	ErrClosed     = errors.New("messaging: the hub is closed")                          // all methods after Close
	ErrStarted    = errors.New("messaging: the hub was started before")                 // Start
	ErrPartial    = errors.New("messaging: not all nodes of the cluster have answered") // what goes to all nodes, and asks all
	ErrNoSession  = errors.New("messaging: no node has such a session")                 // Session, CloseSession, MoveSession
	ErrName       = errors.New("messaging: no name of a user or room")                  // Push, PushRoom, Broadcast, User: empty, longer than 128 bytes, no text, or a user's with "/"
)

// Refusal says why a message, a join or a question was refused: the NACK that its client gets, the
// error that Push returns. A Policy may return one of its own.
type Refusal struct {
	// Code is one of those of package envelope, or one of the application's: 50 to 79 for "another
	// time", and those from 1100 on.
	Code   codec.NackCode
	Reason string // text for people, at most codec.MaxReason bytes without control characters
}

// Again tells whether the same message may be taken another time.
func (r *Refusal) Again() bool { return r.Code.Again() }

// Error names the code and quotes the reason.
func (r *Refusal) Error() string {
	return fmt.Sprintf("messaging: refused, code %d %q", uint16(r.Code), r.Reason)
}

// The refusals that the hub itself makes.
var (
	refuseMalformed  = &Refusal{envelope.CodeMalformed, "no envelope that clients send"}
	refuseDevice     = &Refusal{envelope.CodeMalformed, "a user's name has no /, as a device's has"}
	refuseNameless   = &Refusal{envelope.CodeForbidden, "a client without an incarnation cannot send messages"}
	refuseForbidden  = &Refusal{envelope.CodeForbidden, "you may not"}
	refuseLarge      = &Refusal{envelope.CodeTooLarge, "the message is too large"}
	refuseLate       = &Refusal{envelope.CodeTooLate, "it is to be delivered later than the node keeps it"}
	refuseExpired    = &Refusal{envelope.CodeTooLate, "its life ended before anybody took it"}
	refuseMany       = &Refusal{envelope.CodeTooMany, "you are in, or watch, as many as you may"}
	refuseStranger   = &Refusal{envelope.CodeNotMember, "you are not in this room"}
	refuseQuestion   = &Refusal{envelope.CodeNoQuestion, "not a question that the node knows"}
	refuseUnasked    = &Refusal{envelope.CodeMalformed, "a question must want a reply, and only a question may"}
	refuseQueueFull  = &Refusal{envelope.CodeQueueFull, "the addressee's queue is full"}
	refuseStoreFull  = &Refusal{envelope.CodeQueueFull, "the node's store is full"}
	refuseRate       = &Refusal{envelope.CodeRate, "too often"}
	refuseFullRoom   = &Refusal{envelope.CodeFullRoom, "the room is full"}
	refuseBusy       = &Refusal{envelope.CodeTryLater, "the node has too much to do"}
	refuseStalled    = &Refusal{envelope.CodeTryLater, "the store is late"}
	refuseStoreFails = &Refusal{envelope.CodeTryLater, "the store failed"}
	refuseAway       = &Refusal{envelope.CodeTryLater, "the addressee is away, and this node keeps no messages"}
	refuseSilent     = &Refusal{envelope.CodeTryLater, "a node does not answer"}
	refuseHomeless   = &Refusal{envelope.CodeTryLater, "the room's node does not answer"}
	refuseHandBack   = &Refusal{envelope.CodeTryLater, "no device of the addressee took it"}
	refuseHandUnsent = &Refusal{envelope.CodeTryLater, "the addressee's device had no room"}
	refuseUndecided  = &Refusal{envelope.CodeTryLater, "whether you may could not be found out"}
)
