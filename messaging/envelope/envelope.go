package envelope

import (
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Version is the version of the envelope that Append writes, and the only one that Parse reads.
const Version = 1

// Limits of the fields, in bytes. Append and Parse hold them alike.
const (
	MaxUser   = 128
	MaxRoom   = 128
	MaxDevice = codec.MaxClientID
	MaxSender = 128
	MaxReason = 255
)

// MaxHead is the most that Append puts before Content, in bytes, for any kind.
const MaxHead = 1024

// What can be wrong with a body. Parse and Append wrap exactly one of these.
var (
	ErrVersion   = errors.New("envelope: unknown version")
	ErrKind      = errors.New("envelope: unknown kind")
	ErrTruncated = errors.New("envelope: truncated")
	ErrField     = errors.New("envelope: invalid field") // missing, twice, of a wrong length, no text, or out of range
)

// ID names a message wherever it goes: the sender's client id, its incarnation, and the number of the
// SEND. What a node itself sends has the node's name and the epoch of its boot.
type ID struct {
	Sender      []byte
	Incarnation uint64
	Number      uint64
}

// Position is a place in what a room says. Offsets count from 1; Offset is the last message had, 0 for
// none. An epoch is not 0; where no position is given, both are.
type Position struct{ Epoch, Offset uint64 }

// Envelope is one body. Which fields a kind has stands in docs/MESSAGING.md: Parse sets no other, and
// Append writes no other. Byte slices are views into what was parsed.
type Envelope struct {
	Kind  Kind
	Flags Flags

	User     []byte   // the addressee of what a client sends; of a Message, who sent it; of a Receipt, to whom
	Room     []byte   // a room's name
	ID       ID       // of a Message, a Publication, and of that which a Receipt is about
	Position Position // in Room

	Time  time.Time     // the sender's clock when it sent, in ms; zero: it did not say
	Taken time.Time     // the node's clock when it took the message, in ms
	At    time.Time     // deliver not before, in ms; zero: now
	Life  time.Duration // how long the message is worth delivering, in ms; 0: as long as the node keeps it

	State  State          // of Receipt, Joined, Presence
	Code   codec.NackCode // why: of Receipt, Left
	Reason []byte         // text for people

	Device []byte // a client id: of Presence
	Stamp  uint64 // orders what is said of one device: the greater is the later

	Question Question
	Prefix   []byte // of names asked for
	After    []byte // of Ask: go on behind this name. Of Page: ask again with this; empty: it was the last
	Limit    uint16 // the most names wanted; 0: as the node likes
	Count    uint64 // of Page: how many there are in all. Of Joined: members. Of Presence: devices online

	// Content is the application's in ToUser, ToRoom, Message and Publication, and names in a Page
	// (see AppendName and Names). It is the last thing in a body.
	Content []byte
}
