package talk

import (
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Config describes a Talk. Any callback may be nil.
type Config struct {
	// Client is how to connect. Its Deliver and Settled are the Talk's and must be nil; StateChange is
	// called as by a Client alone.
	Client client.Config

	// Message takes a message for this user. Its return acknowledges that, unless it has called the
	// message's Ack, AckLater or Nack. If it panics, the message is refused, and the client ends
	// (client.PanicError). Default nil: every message is refused.
	Message func(m *Message)

	// Publication takes a message of a room that was joined, once, in the order of the room.
	Publication func(p Publication)

	// Joined tells that a room was joined, for the first time and in every new session.
	Joined func(j Joined)

	// Missed tells that a room said something that is gone: what is between the two positions, or, if
	// their epochs differ, nobody knows how much. Publications go on behind To.
	Missed func(room string, from, to envelope.Position)

	// Left tells that a room is no longer joined although nobody called Leave: the node refused it, or
	// put its member out. It is not joined again.
	Left func(room string, why Refusal)

	// Settled tells what became of a Send or Publish, once for each number.
	Settled func(number uint64, o Outcome)

	// Receipt tells what became later of a message whose Outcome was Durable or Held.
	Receipt func(r Receipt)

	// Presence tells who comes and goes, of those that are watched; never what is older than what was
	// told of the same device in the session.
	Presence func(p Presence)

	// Unwatched tells that the node refuses a Watch. It is not asked again.
	Unwatched func(user, room string, why Refusal)

	// Keeper keeps the ids of messages beyond this Talk. Default nil: they are forgotten with it.
	Keeper Keeper

	now func() time.Time // for tests
}

// Refusal is why a node refused something.
type Refusal struct {
	Code   codec.NackCode // see package envelope; 0: the node did not say
	Reason string         // the node's words, "" if it has none; not to be trusted
}

// Options of a message.
type Options struct {
	At   time.Time     // deliver it then; zero: now
	Life time.Duration // how long it is worth delivering; 0: as long as the node keeps it
}

// State is what became of a message.
type State uint8

// The states of an Outcome.
const (
	Taken     State = iota + 1 // a room has it
	Delivered                  // a device of the addressee has it in its application
	Durable                    // it is on the node's disk; a Receipt follows
	Held                       // it is in the node's memory, without a promise; a Receipt may follow
	Refused                    // Refusal says why
	Unknown                    // it may have arrived, or not: Err says why nobody knows
)

var stateNames = [...]string{Taken: "taken", Delivered: "delivered", Durable: "durable", Held: "held", Refused: "refused", Unknown: "unknown"}

// String is for people: "delivered".
func (s State) String() string {
	if int(s) < len(stateNames) && stateNames[s] != "" {
		return stateNames[s]
	}
	return "none"
}

// Outcome is what became of a message that was sent.
type Outcome struct {
	State   State
	Refusal        // of Refused
	Err     error  // of Refused: a *client.RefusedError; of Unknown: see client.Outcome
	To      string // the user, or the room
	InRoom  bool   // To is a room
}

// outcome reads what the client says.
func outcome(o client.Outcome) Outcome {
	var refused *client.RefusedError
	switch {
	case errors.As(o.Err, &refused):
		return Outcome{State: Refused, Refusal: Refusal{refused.Code, refused.Reason}, Err: o.Err}
	case o.Err != nil:
		return Outcome{State: Unknown, Err: o.Err}
	}
	switch o.What {
	case envelope.AckDelivered:
		return Outcome{State: Delivered}
	case envelope.AckDurable:
		return Outcome{State: Durable}
	case envelope.AckHeld:
		return Outcome{State: Held}
	}
	return Outcome{State: Taken}
}
