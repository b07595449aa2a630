package server

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// receive handles what a connection has sent: b holds every byte not yet consumed. It
// returns how many bytes it took and how many must be there before the next call can
// achieve anything. What it answers leaves in one Write.
//
// The connection may be gone when it returns; consumed is then len(b).
func (r *reactor) receive(now time.Duration, slot timingwheel.ID, b []byte) (consumed, need int) {
	r.observe(now)
	r.setStretch(r.node.Load.Stretch())
	s := r.sessions.at(slot)
	if s.state == stateLingering {
		r.discard(slot, len(b))
		return len(b), 1
	}
	mayFrames, why := r.mayRead(slot, len(b))
	if why != ReasonNone {
		r.farewell(slot, why)
		return len(b), 1
	}
	var ping uint64
	var applied uint16
	var pinged bool
	need = 1
	greeting := s.state == stateHandshaking
	frames, free, freeBytes := int64(0), int64(0), 0
	for consumed < len(b) {
		limit := r.cfg.MaxFrame
		if s.state != stateReady {
			limit = codec.MaxPayloadBeforeAuth
		}
		f, size, err := codec.Decode(b[consumed:], limit)
		if err == codec.ErrIncomplete {
			need = size
			break
		}
		if err != nil {
			r.farewell(slot, reasonForMalformed(err))
			return len(b), 1
		}
		consumed += size
		if f.Type == codec.Ack && s.state == stateReady && r.delivered.answer(slot) {
			free, freeBytes = free+1, freeBytes+size
		}
		if frames++; frames-free > mayFrames {
			r.farewell(slot, ReasonRateLimit)
			return len(b), 1
		}
		if greeting && frames > 1 && f.Type != codec.Bye {
			// Sent before WELCOME: refused by every node, and not only where that takes a while.
			r.farewell(slot, ReasonUnexpected)
			return len(b), 1
		}
		if f.Type == codec.Ping && s.state == stateReady {
			if ping, applied, err = codec.ParsePing(f.Payload); err != nil {
				r.farewell(slot, ReasonBadPayload)
				return len(b), 1
			}
			pinged = true
			r.counters.Pings++
			continue
		}
		if why := r.frame(slot, f); why != ReasonNone {
			r.end(slot, why)
			return len(b), 1
		}
		if s.state == stateFree {
			return len(b), 1 // WELCOME did not reach it
		}
	}
	r.counters.BytesIn += uint64(consumed)
	r.counters.FramesIn += uint64(frames)
	s.bytesUsed += int32(consumed - freeBytes)
	s.framesUsed += int32(frames - free)
	if s.state == stateReady && int64(s.bytesUsed) > r.byteRate.burst {
		r.farewell(slot, ReasonRateLimit) // by more than what answers our own DELIVERs
		return len(b), 1
	}
	if frames > 0 && s.state == stateReady {
		r.wheel.Touch(slot)
		s.setPostponed(0)
	}
	r.watchPartial(slot, len(b)-consumed, frames > 0)
	if pinged {
		if s.terms != uint8(r.terms.Number) {
			r.followTerms(slot, applied)
		}
		r.pong(slot, ping)
	}
	r.flush(slot)
	return consumed, need
}

// mayRead says how many frames of a read of size bytes may be handled, or why none. A token
// is looked at here, too, and not only when the wheel says so: the wheel's time stands
// still with the server, a token's does not.
//
// What answers our own DELIVERs costs nothing: that we sent them is no fault of the client.
func (r *reactor) mayRead(slot timingwheel.ID, size int) (frames int64, why Reason) {
	s := r.sessions.at(slot)
	if x := r.extras.of(s); x.expires != 0 && r.clock.real >= x.expires {
		r.notice.Window = r.terms.Window
		return 0, ReasonTokenExpired
	}
	frames, bytes := r.allowance(s)
	answers := r.delivered.unanswered(slot)
	if int64(size) > bytes+answers*ackBytes || frames+answers <= 0 {
		return 0, ReasonRateLimit
	}
	return frames, ReasonNone
}

// frame handles one complete frame that is no PING of a ready session. It returns why
// the connection must end, or ReasonNone.
func (r *reactor) frame(slot timingwheel.ID, f codec.Frame) Reason {
	s := r.sessions.at(slot)
	if s.state == stateHandshaking {
		if f.Type == codec.Hello && r.node.Drain.On() {
			return r.drainReason()
		}
		if f.Type == codec.Hello {
			return r.hello(slot, f.Payload)
		}
		return ReasonUnexpected
	}
	if s.state != stateReady && f.Type != codec.Bye {
		return ReasonUnexpected // nothing is heard from a client that is still being checked
	}
	switch f.Type {
	case codec.Send:
		id, body, err := codec.ParseMessage(f.Payload)
		if err != nil {
			return ReasonBadPayload
		}
		r.counters.Sends++
		if r.cfg.Handler.Message != nil {
			r.callMessage(slot, id, body)
		}
	case codec.Ack:
		id, err := codec.ParseAck(f.Payload)
		if err != nil {
			return ReasonBadPayload
		}
		r.counters.AcksIn++
		if r.cfg.Handler.Acked != nil {
			r.callAcked(slot, id)
		}
	case codec.Bye:
		return ReasonBye
	default:
		if f.Type.Known() || f.Flags&codec.FlagIgnorable == 0 {
			return ReasonUnexpected
		}
	}
	return r.kicked()
}

// kicked tells whether the handler closed the session, or panicked, just now.
func (r *reactor) kicked() Reason {
	switch r.kick {
	case 0:
		return ReasonNone
	case codec.CodeInternal:
		return ReasonInternal
	case codec.CodeSlowConsumer:
		return ReasonSlowConsumer
	default:
		return ReasonKicked
	}
}

// watchPartial keeps the deadline of an unfinished frame: left bytes of it are here, and
// fresh says that it began in this call, since an earlier one ended.
func (r *reactor) watchPartial(slot timingwheel.ID, left int, fresh bool) {
	s := r.sessions.at(slot)
	switch {
	case s.state != stateReady:
	case left == 0:
		if s.extra != 0 {
			x := r.extras.need(s)
			x.progressed, x.partial, x.partUntil = false, 0, 0
			x.seen, x.quietAt = 0, 0
			r.extras.spare(s)
		}
	case fresh || r.extras.of(s).partUntil == 0:
		x := r.extras.need(s)
		x.progressed = false
		x.partial = 0
		x.partUntil = r.now + r.cfg.PartialTimeout
		x.seen, x.quietAt = int32(left), r.now+r.quiet()
		r.wheel.Pull(slot, min(x.partUntil, x.quietAt))
	}
}
