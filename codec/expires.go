package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// NeverExpires tells that a grant has no end.
const NeverExpires = time.Duration(math.MaxInt64)

const (
	expiresLen  = 8
	neverOnWire = math.MaxUint64
)

// appendExpires appends the value of the entry, in milliseconds, rounded up; nothing if nothing is
// told.
func appendExpires(dst []byte, left time.Duration) []byte {
	switch {
	case left <= 0:
		return dst
	case left == NeverExpires:
		return binary.BigEndian.AppendUint64(dst, neverOnWire)
	}
	ms := left / time.Millisecond
	if left%time.Millisecond != 0 {
		ms++
	}
	return binary.BigEndian.AppendUint64(dst, uint64(ms))
}

// parseExpires reads the value of the entry; zero if there is none, or it says nothing. What is
// longer than 292 years is never.
func parseExpires(p []byte) (left time.Duration, err error) {
	switch len(p) {
	case 0:
		return 0, nil
	case expiresLen:
	default:
		return 0, fmt.Errorf("%w: expires has %d bytes, want %d", ErrField, len(p), expiresLen)
	}
	ms := binary.BigEndian.Uint64(p)
	if ms > uint64(NeverExpires/time.Millisecond) {
		return NeverExpires, nil
	}
	return time.Duration(ms) * time.Millisecond, nil
}
