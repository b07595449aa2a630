package envelope

import "fmt"

// Kind is what a body is about.
type Kind uint8

// What clients send.
const (
	ToUser  Kind = 1 // a message to a user
	ToRoom  Kind = 2 // a message to a room
	Join    Kind = 3 // I want what this room says, from this position on
	Leave   Kind = 4 // no longer
	Watch   Kind = 5 // tell me who comes and goes: of a user, or in a room
	Unwatch Kind = 6 // no longer
	Ask     Kind = 7 // a question; a frame that wants a reply, which is a Page
)

// What nodes say.
const (
	Message     Kind = 16 // a message for this user
	Publication Kind = 17 // a message of a room
	Receipt     Kind = 18 // what became of a message of yours after its ACK
	Joined      Kind = 19 // you are in this room, and what came of the position you gave
	Gap         Kind = 20 // you missed messages of this room: join anew with what you have
	Presence    Kind = 21 // a device came or went
	Page        Kind = 22 // the reply to Ask
	Left        Kind = 23 // you are no longer in this room, and have not asked for that
)

// Flags are bits of a body's third byte. Unknown ones are not looked at.
type Flags uint8

// PossiblyKnown: the node cannot exclude that the receiver has had this message long ago, beyond what
// receivers remember. Mark sets it.
const PossiblyKnown Flags = 1

// State is a word within Receipt, Joined and Presence.
type State uint8

// States of a Receipt.
const (
	Delivered State = 1 // a device of the addressee has it in its application
	Refused   State = 2 // the addressee's application, or the node, refused it: Code and Reason say why
	Expired   State = 3 // its life ended before anybody took it
)

// States of Joined.
const (
	Fresh     State = 1 // no position was given: messages come from Position on
	Recovered State = 2 // all that was missed since the position given comes next
	Missed    State = 3 // something was missed and is gone: messages come from Position on
)

// States of Presence.
const (
	Online  State = 1
	Offline State = 2 // after a grace, and not if the device was only replaced
)

// Question is what an Ask asks.
type Question uint8

// The questions. Names come in ascending order of their bytes, in pages.
const (
	OnlineUsers Question = 1 // whose names begin with Prefix
	RoomMembers Question = 2 // users in Room
	UserDevices Question = 3 // client ids of User's devices that are online
)

// What a node says in ACK.What to a ToUser or ToRoom.
const (
	AckTaken     uint8 = 0 // Join, Leave, Watch, Unwatch: done. ToRoom: the room gave an offset
	AckDelivered uint8 = 1 // one device of the addressee has it in its application
	AckDurable   uint8 = 2 // it is on this node's disk; a Receipt follows
	AckHeld      uint8 = 3 // it is in this node's memory, without a promise; a Receipt may follow
)

var kindNames = [...]string{
	ToUser: "to user", ToRoom: "to room", Join: "join", Leave: "leave", Watch: "watch", Unwatch: "unwatch", Ask: "ask",
	Message: "message", Publication: "publication", Receipt: "receipt", Joined: "joined", Gap: "gap",
	Presence: "presence", Page: "page", Left: "left",
}

// Known tells whether this version has the kind.
func (k Kind) Known() bool { return int(k) < len(kindNames) && kindNames[k] != "" }

// String is the kind's name as docs/MESSAGING.md spells it, or its number.
func (k Kind) String() string {
	if k.Known() {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}
