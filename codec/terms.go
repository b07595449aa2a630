package codec

import (
	"encoding/binary"
	"math"
	"time"
)

// Terms are the timing rules of a session. WELCOME states them and every PONG repeats
// them, so that a change reaches a client with its next heartbeat. They travel in whole
// milliseconds, rounded up, and saturate at about 49 days.
//
// They are the peer's word: zero is possible here, and whoever obeys them sets a floor.
type Terms struct {
	Interval time.Duration // the client speaks at least this often
	Timeout  time.Duration // silence after which the server drops it
	Window   time.Duration // spread of the first attempt after a loss
	Patience time.Duration // the least time to wait for a PONG; 0: as long as the client likes
	Number   uint16        // of these terms, from 1 on; PING says which the client has applied
}

const termsLen = 20

func appendTerms(dst []byte, t Terms) []byte {
	dst = binary.BigEndian.AppendUint32(dst, millis(t.Interval))
	dst = binary.BigEndian.AppendUint32(dst, millis(t.Timeout))
	dst = binary.BigEndian.AppendUint32(dst, millis(t.Window))
	dst = binary.BigEndian.AppendUint32(dst, millis(t.Patience))
	dst = binary.BigEndian.AppendUint16(dst, t.Number)
	return append(dst, 0, 0)
}

func parseTerms(p []byte) Terms {
	return Terms{
		Interval: duration(binary.BigEndian.Uint32(p)),
		Timeout:  duration(binary.BigEndian.Uint32(p[4:])),
		Window:   duration(binary.BigEndian.Uint32(p[8:])),
		Patience: duration(binary.BigEndian.Uint32(p[12:])),
		Number:   binary.BigEndian.Uint16(p[16:]),
	}
}

// millis rounds up, so that a positive duration never becomes "at once". A negative one
// is zero.
func millis(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	ms := d / time.Millisecond
	if d%time.Millisecond != 0 {
		ms++
	}
	return uint32(min(ms, math.MaxUint32))
}

func duration(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }
