package codec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"
)

// What every frame has; sizes in bytes.
const (
	Magic          = 0x53 // 'S'
	FramingVersion = 1

	HeaderLen  = 8
	TrailerLen = 4
	Overhead   = HeaderLen + TrailerLen
)

// Type tells what a frame carries.
type Type uint8

// The frame types. Zero is never assigned.
const (
	Hello   Type = 1  // client: who I am, what I speak
	Welcome Type = 2  // server: you are in, these are the terms
	Ping    Type = 3  // client: are you there?
	Pong    Type = 4  // server: I am, and these are the terms now
	Send    Type = 5  // client: a message for the server's application
	Deliver Type = 6  // server: a message for the client's application
	Ack     Type = 7  // either: the application has dealt with messages M to N
	GoAway  Type = 8  // server: leave, return here or elsewhere, then
	Bye     Type = 9  // client: I leave of my own accord
	Nack    Type = 10 // either: message N is refused for good
)

var typeNames = [...]string{Hello: "HELLO", Welcome: "WELCOME", Ping: "PING", Pong: "PONG",
	Send: "SEND", Deliver: "DELIVER", Ack: "ACK", GoAway: "GOAWAY", Bye: "BYE",
	Nack: "NACK"}

// String returns the name that docs/PROTOCOL.md uses.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Known tells whether this version gives the type a meaning. Zero has
// none.
func (t Type) Known() bool { return t >= Hello && t <= Nack }

// Flags of a frame.
type Flags uint8

// The flags. Every type may have the first; the others are those of SEND and DELIVER, which have
// one of the two at most.
const (
	FlagIgnorable  Flags = 1 // who does not know the type skips the frame; else it is a protocol error
	FlagWantsReply Flags = 2 // the message wants a reply
	FlagReply      Flags = 4 // the message is a reply
)

// validFor tells whether a frame of the type may have these flags.
func (f Flags) validFor(t Type) bool {
	switch f &^ FlagIgnorable {
	case 0:
		return true
	case FlagWantsReply, FlagReply:
		return t == Send || t == Deliver
	default:
		return false
	}
}

// Frame is one decoded frame. Payload is a view into the decoded bytes.
type Frame struct {
	Type    Type
	Flags   Flags
	Payload []byte
}

// Decode reads the frame at the start of b. The length that the header declares is
// checked against maxPayload as read, before anything waits for it or is sized by it.
//
// On success size is the number of bytes the frame took. With ErrIncomplete, size is the
// number of bytes that must be there before Decode can return a frame: with fewer it
// finds nothing but a fault in the header. Any other error means that the stream is lost;
// size is then zero.
//
// A fault in the header is reported from the first byte that shows it. Decode does not
// judge the type, but for the flags that it may have: what to do with an unknown one is the
// receiver's rule.
func Decode(b []byte, maxPayload int) (f Frame, size int, err error) {
	if len(b) < HeaderLen || b[0] != Magic || b[1] != FramingVersion<<4 ||
		b[3]&^byte(FlagIgnorable) != 0 && !Flags(b[3]).validFor(Type(b[2])) {
		if err := headerFault(b); err != nil {
			return Frame{}, 0, err
		}
		return Frame{}, HeaderLen, ErrIncomplete
	}
	declared := binary.BigEndian.Uint32(b[4:])
	if uint64(declared) > uint64(min(max(maxPayload, 0), math.MaxInt-Overhead)) {
		return Frame{}, 0, fmt.Errorf("%w: %d bytes declared, %d allowed", ErrLength, declared, maxPayload)
	}
	end := HeaderLen + int(declared)
	size = end + TrailerLen
	if len(b) < size {
		return Frame{}, size, ErrIncomplete
	}
	want := binary.BigEndian.Uint32(b[end:])
	if got := uint32(xxhash.Sum64(b[:end])); got != want {
		return Frame{}, 0, fmt.Errorf("%w: frame says %08x, its bytes give %08x", ErrChecksum, want, got)
	}
	return Frame{Type: Type(b[2]), Flags: Flags(b[3]), Payload: b[HeaderLen:end:end]}, size, nil
}

// headerFault names the first fault in as much of a header as has arrived.
func headerFault(b []byte) error {
	switch {
	case len(b) > 0 && b[0] != Magic:
		return fmt.Errorf("%w: 0x%02x, want 0x%02x", ErrMagic, b[0], Magic)
	case len(b) > 1 && b[1] != FramingVersion<<4:
		return fmt.Errorf("%w: 0x%02x, want 0x%02x", ErrVersion, b[1], FramingVersion<<4)
	case len(b) > 3 && !Flags(b[3]).validFor(Type(b[2])):
		return fmt.Errorf("%w: 0x%02x of %s", ErrFlags, b[3], Type(b[2]))
	}
	return nil
}

// AppendFrame appends a frame of any type. It is for types that have no function of
// their own; a payload must stay below 4 GiB, and Decode refuses flags that the type may not have.
func AppendFrame(dst []byte, t Type, flags Flags, payload []byte) []byte {
	start := len(dst)
	dst = begin(dst, t, flags)
	dst = append(dst, payload...)
	return finish(dst, start)
}

// begin appends a header whose length finish fills in.
func begin(dst []byte, t Type, flags Flags) []byte {
	return append(dst, Magic, FramingVersion<<4, byte(t), byte(flags), 0, 0, 0, 0)
}

// finish completes the frame that began at start: length and checksum.
func finish(dst []byte, start int) []byte {
	frame := dst[start:]
	binary.BigEndian.PutUint32(frame[4:], uint32(len(frame)-HeaderLen))
	return binary.BigEndian.AppendUint32(dst, uint32(xxhash.Sum64(frame)))
}
