package server

import (
	"math"
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// What one connection may send. gnet cannot pause reading, so whoever sends more is
// closed, before it costs the other clients of its loop more than one read.

// rate is a token bucket whose tokens come once a second: what a session has used since
// lies in the session, as a number that may go down to a credit.
type rate struct {
	perSecond int64
	burst     int64
}

// burstSeconds is how much of its rate a connection may use at once.
const burstSeconds = 4

// rateOff is a burst that nobody reaches.
const rateOff = math.MaxInt64 / 2

func newRate(perSecond int, least int64) rate {
	if perSecond < 0 {
		return rate{perSecond: math.MaxInt32, burst: rateOff}
	}
	return rate{perSecond: int64(perSecond), burst: max(int64(perSecond)*burstSeconds, least)}
}

// refill gives back the tokens of the seconds that have passed. Of those that no bucket
// can hold, the ones of a stall of the server are kept as a credit: what the client sent
// meanwhile arrives at once, and that is not its fault.
func (l rate) refill(used int32, seconds, stalled int64) int32 {
	empty := min(int64(used), -stalled*l.perSecond)
	return int32(max(int64(used)-seconds*l.perSecond, empty, math.MinInt32/2))
}

// second is the present second of the server's life, in real time.
func (r *reactor) second() uint32 { return uint32(r.clock.real / time.Second) }

// allowance returns how many frames and bytes a connection may send now.
func (r *reactor) allowance(s *session) (frames, bytes int64) {
	if second := r.second(); second != s.rateSecond {
		r.refill(s, second)
	}
	return r.frameRate.burst - int64(s.framesUsed), r.byteRate.burst - int64(s.bytesUsed)
}

func (r *reactor) refill(s *session, second uint32) {
	var stalled int64
	if uint32(r.clock.stallEnd/time.Second) > s.rateSecond {
		stalled = int64(r.clock.stall/time.Second) + 1
	}
	seconds := int64(second - s.rateSecond)
	s.framesUsed = r.frameRate.refill(s.framesUsed, seconds, stalled)
	s.bytesUsed = r.byteRate.refill(s.bytesUsed, seconds, stalled)
	s.rateSecond = second
}

// fragment charges a read that brought less than a frame: it costs the loop as much as
// one. It reports whether receive must look at the connection all the same.
func (r *reactor) fragment(slot timingwheel.ID) (look bool) {
	s := r.sessions.at(slot)
	s.framesUsed++
	return s.state == stateLingering || int64(s.framesUsed) > r.frameRate.burst
}
