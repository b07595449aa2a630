package siege

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/stormwheel/stormwheel/codec"
)

// Frames that enemies say. Nobody may change them.
var (
	Ping       = codec.AppendPing(nil, 1, 0)
	ZeroLength = codec.AppendFrame(nil, 99, codec.FlagIgnorable, nil) // of a type that a receiver may ignore
	Unknown    = codec.AppendFrame(nil, 99, 0, []byte("what?"))       // of a type that it may not ignore
	AckAll     = ackOf(0, math.MaxUint64)                             // of all numbers that there are
	NackNever  = nackOf(1 << 60)                                      // of a message that was never sent, with the longest reason

	ackBackwards = ackOf(2, 1)
)

func ackOf(first, last uint64) []byte {
	return codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: first, Last: last}})
}

func nackOf(number uint64) []byte {
	b, err := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: codec.NackBusy, Reason: bytes.Repeat([]byte("x"), codec.MaxReason)})
	if err != nil {
		panic(err)
	}
	return b
}

// Hello is a HELLO of version 1. An id or token that no frame can hold is a fault of the caller:
// it panics.
func Hello(id, token string) []byte {
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id), Token: []byte(token)})
	if err != nil {
		panic(err)
	}
	return b
}

// Header is the beginning of a frame that declares n bytes.
func Header(typ codec.Type, n uint32) []byte {
	b := []byte{codec.Magic, codec.FramingVersion << 4, byte(typ), 0}
	return binary.BigEndian.AppendUint32(b, n)
}

// corrupt is frame with a bit of its checksum turned.
func corrupt(frame []byte) []byte {
	b := append([]byte(nil), frame...)
	b[len(b)-1] ^= 1
	return b
}

// Headers with a bit that nobody has given a meaning.
var (
	reservedFlags  = []byte{codec.Magic, codec.FramingVersion << 4, byte(codec.Ping), 0x82, 0, 0, 0, 8}
	reservedNibble = []byte{codec.Magic, codec.FramingVersion<<4 | 1, byte(codec.Ping), 0, 0, 0, 0, 8}
)
