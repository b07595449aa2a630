package messaging

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

const maxGroups = server.MaxGroups

// ID names a message for ever. Receivers drop what they have seen.
type ID struct {
	Sender      string // a client id, or Config.Name of the node that says it
	Incarnation uint64 // of that client, or the boot of that node
	Number      uint64 // not 0
}

func (id ID) envelope() envelope.ID {
	return envelope.ID{Sender: []byte(id.Sender), Incarnation: id.Incarnation, Number: id.Number}
}

// Message is what Push and PushRoom send.
type Message struct {
	// ID names it. Zero: the hub does. Who may have to push it again gives one, and the second copy is
	// recognised while the first is under way, and for 5 minutes after (16,384 messages of the node
	// at most).
	ID ID
	// From is the user it is said to come from. Empty: nobody, and ID.Sender tells.
	From    string
	Content []byte // copied
	// At is when it is delivered at the earliest, at most Config.Life from now. Zero: now. Not of rooms.
	At time.Time
	// Life is how long it is worth being delivered. Default and most: Config.Life. Not of rooms.
	Life time.Duration
}

// Result says what became of a message.
type Result uint8

// The results.
const (
	Delivered Result = iota + 1 // a device has it in its application
	Durable                     // it is in a durable store
	Held                        // it is in a store that does not outlive the node
	Refused                     // by the hub, or by the device's application
	Expired                     // its life ended first
)

var resultNames = [...]string{"none", "delivered", "durable", "held", "refused", "expired"}

// String names the result.
func (r Result) String() string {
	if int(r) < len(resultNames) {
		return resultNames[r]
	}
	return "unknown"
}

// Outcome is what became of a message of Push, told once.
type Outcome struct {
	ID     ID
	Result Result
	Device string // Delivered: the client id that has it; empty for a copy of a message that was delivered before
	// Err is the *Refusal of a message that was refused. Where Again says so it may be pushed another
	// time, with the same ID; it may still arrive though the store failed.
	Err error
}

// word is the outcome in an ACK.
func (r Result) word() uint8 {
	switch r {
	case Delivered:
		return envelope.AckDelivered
	case Durable:
		return envelope.AckDurable
	default:
		return envelope.AckHeld
	}
}

// ValidUser tells whether a user can be named so: as ValidName has it, and without a "/", which is what parts a user
// from a device: "bob/phone" is a device of bob.
func ValidUser(name string) bool { return ValidName(name) && !strings.Contains(name, "/") }

// ValidName tells whether a room can be named so, and a user but for its slash: 1 to 128 bytes of UTF-8 without control
// characters.
func ValidName(name string) bool {
	return name != "" && len(name) <= envelope.MaxUser && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}
