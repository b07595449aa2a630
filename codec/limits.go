package codec

import (
	"encoding/binary"
	"fmt"
	"time"
)

// The limits of frames, their fields and terms, all of them. Sizes are in bytes.

// The largest payloads.
const (
	MaxPayload           = 64 << 10 // default limit of an authenticated session
	MaxPayloadBeforeAuth = 8 << 10  // limit until WELCOME; a token may have 4 KiB
)

// The largest variable fields. Encoder and decoder hold them alike.
const (
	MaxClientID   = 128
	MaxToken      = 4096
	MaxReturnPass = 256
	MaxTicket     = 256
	MaxNode       = 64
	MaxAlternates = 1024
	MaxReason     = 256
)

// MaxBody is the largest body of a SEND or a DELIVER within MaxPayload.
const MaxBody = MaxPayload - messageIDLen

// MaxReply is the largest body of a reply within MaxPayload.
const MaxReply = MaxBody - messageIDLen

// MaxAnswer is the length of the longest ACK or NACK with its overhead: what an answer
// may have without counting against a rate. A longer reply counts with what is beyond it.
const MaxAnswer = Overhead + nackFixed + 3 + MaxReason

// The limits of terms, the same for whoever tells them and whoever keeps to them: a client
// holds its interval within the first two and within four fifths of the timeout, and a server
// tells no terms that leave such a client less than MinMargin for its frames to arrive.
const (
	MinInterval = 100 * time.Millisecond
	MaxInterval = time.Hour
	MinMargin   = 100 * time.Millisecond
)

// MinTimeout is the least timeout that a client which is told the interval can keep to.
func MinTimeout(interval time.Duration) time.Duration {
	// The fifth that a client leaves of any timeout is margin enough from here on.
	const enough = 5 * MinMargin
	return min(max(interval, MinInterval)+MinMargin, enough)
}

// Limits say what one session may send, so that its client can keep below them and never
// learns them by being cut off. Zero is no limit, and all zero says nothing.
type Limits struct {
	MaxSend        uint32 // the largest payload that the server takes, bytes
	MaxDeliver     uint32 // the largest payload that the server sends, bytes
	Frames         uint32 // a second; an ACK or NACK that settles a DELIVER does not count
	FrameBurst     uint32 // at once, after a silence
	Bytes          uint32 // a second, with the 12 bytes around a payload; as above
	ByteBurst      uint32
	Unsettled      uint32 // SENDs that are neither acknowledged nor refused, at most
	UnsettledBytes uint32 // and their bodies together, bytes; one may be larger, alone
}

const (
	limitsLen = 32
	maxLimits = 64 // a later version may append to them
)

// appendLimits appends the value of the entry, nothing if nothing is told.
func appendLimits(dst []byte, l Limits) []byte {
	if l == (Limits{}) {
		return dst
	}
	for _, v := range [...]uint32{l.MaxSend, l.MaxDeliver, l.Frames, l.FrameBurst, l.Bytes, l.ByteBurst, l.Unsettled, l.UnsettledBytes} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	return dst
}

// parseLimits reads the value of the entry, nil if there is none.
func parseLimits(p []byte) (l Limits, err error) {
	if len(p) == 0 {
		return l, nil
	}
	if len(p) < limitsLen {
		return l, fmt.Errorf("%w: limits have %d bytes, want at least %d", ErrField, len(p), limitsLen)
	}
	for i, v := range [...]*uint32{&l.MaxSend, &l.MaxDeliver, &l.Frames, &l.FrameBurst, &l.Bytes, &l.ByteBurst,
		&l.Unsettled, &l.UnsettledBytes} {
		*v = binary.BigEndian.Uint32(p[4*i:])
	}
	return l, nil
}
