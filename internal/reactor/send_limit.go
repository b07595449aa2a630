package reactor

import (
	"math"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// What one connection may send. A transport cannot pause reading, so whoever sends more is
// closed, before it costs the other clients of its loop more than one read.

// rate is a token bucket whose tokens come once a second: what a session has used since
// lies in the session, as a number that may go down to a credit.
type rate struct {
	perSecond int64
	burst     int64
}

// rateOff is a burst that nobody reaches.
const rateOff = math.MaxInt64 / 2

func newRate(perSecond int, least int64) rate {
	if perSecond < 0 {
		return rate{perSecond: math.MaxInt32, burst: rateOff}
	}
	return rate{perSecond: int64(perSecond), burst: max(int64(perSecond)*burstSeconds, least)}
}

// onWire is the rate as WELCOME has it: zero for none.
func (l rate) onWire() (perSecond, burst uint32) {
	if l.burst == rateOff {
		return 0, 0
	}
	return uint32(l.perSecond), uint32(min(l.burst, math.MaxUint32))
}

// limits are what WELCOME tells of what a session may send.
func (r *Reactor) limits(s *Session) codec.Limits {
	b := r.boundsOf(s)
	l := codec.Limits{MaxSend: uint32(b.maxFrame), MaxDeliver: uint32(r.cfg.MaxFrame),
		Unsettled: maxUnsettled, UnsettledBytes: uint32(b.unsettled)}
	l.Frames, l.FrameBurst = b.frames.onWire()
	l.Bytes, l.ByteBurst = b.bytes.onWire()
	return l
}

// refill gives back the tokens of the seconds that have passed. Of those that no bucket
// can hold, the ones of a stall of the server are kept as a credit: what the client sent
// meanwhile arrives at once, and that is not its fault.
func (l rate) refill(used int32, seconds, stalled int64) int32 {
	empty := min(int64(used), -stalled*l.perSecond)
	return int32(max(int64(used)-seconds*l.perSecond, empty, math.MinInt32/2))
}

// second is the present second of the server's life, in real time.
func (r *Reactor) second() uint32 { return uint32(r.clock.real / time.Second) }

// allowance returns how many frames and bytes a connection may send now.
func (r *Reactor) allowance(s *Session) (frames, bytes int64) {
	if second := r.second(); second != s.rateSecond {
		if s.state == stateReady {
			r.anotherSecond(s, second)
		}
		r.refill(s, second)
	}
	b := r.boundsOf(s)
	return b.frames.burst - int64(s.framesUsed), b.bytes.burst - int64(s.bytesUsed)
}

// refill gives a credit for a stall to those only who were there, for no more than what a
// client waits, and takes back what was not used while all that had waited was read.
func (r *Reactor) refill(s *Session, second uint32) {
	stalled := int64(min(r.clock.stall, r.cfg.Timeout)/time.Second) + 1
	ended := uint32(r.clock.stallEnd / time.Second)
	fresh := int64(second)-int64(ended) <= stalled+burstSeconds
	if !fresh || ended <= s.rateSecond {
		stalled = 0
	}
	seconds := int64(second - s.rateSecond)
	b := r.boundsOf(s)
	s.framesUsed = b.frames.refill(s.framesUsed, seconds, stalled)
	s.bytesUsed = b.bytes.refill(s.bytesUsed, seconds, stalled)
	if !fresh {
		s.framesUsed, s.bytesUsed = max(s.framesUsed, 0), max(s.bytesUsed, 0)
	}
	s.rateSecond = second
}

// charge takes what was read from what a connection may send, and says whether it might.
func (r *Reactor) charge(s *Session, frames int64, bytes int) (ok bool) {
	s.framesUsed += int32(frames)
	s.bytesUsed += int32(bytes)
	return s.state != stateReady || int64(s.bytesUsed) <= r.boundsOf(s).bytes.burst
}

// answerBytes is what of the length of an answer does not count.
const answerBytes = codec.MaxAnswer
