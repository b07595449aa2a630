package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Offer says whether Receive has something to do with have bytes that are not consumed. If not,
// the connection may have ended.
func (r *Reactor) Offer(s *Session, have int) bool {
	return have >= int(s.need) || r.fragment(s, have)
}

// fragment is told of a read that brought less than a frame. It is not charged: a frame costs
// what it costs, in however many pieces the network brings it, and a loop reads a connection
// once before it reads the others. Receive must look at a connection that lingers all the same.
func (r *Reactor) fragment(s *Session, have int) (look bool) {
	if s.state == stateLingering {
		return true
	}
	r.mayHold(s.place.slot(), have)
	return false
}

// Receive handles what a connection has sent: b holds every byte not yet consumed. It
// returns how many bytes it took. What it answers leaves in one Write.
//
// The connection may have ended when it returns; consumed is then len(b).
func (r *Reactor) Receive(now time.Duration, slot Slot, b []byte) (consumed int) {
	s := r.sessions.at(slot)
	consumed, need := r.receive(now, slot, b)
	if s.state != stateFree {
		s.need = int32(need)
		r.mayHold(slot, len(b)-consumed)
	}
	return consumed
}

// mayHold ends a connection that holds more than the node has room for.
func (r *Reactor) mayHold(slot Slot, size int) {
	if !r.hold(slot, size) {
		r.sendAway(slot, ReasonQueueBudget, reset)
	}
}

// receive is Receive, without what is kept of the connection. need is how many bytes must be
// there before the next call can achieve anything.
func (r *Reactor) receive(now time.Duration, slot Slot, b []byte) (consumed, need int) {
	r.observe(now)
	r.setStretch(r.node.Load.Stretch())
	s := r.sessions.at(slot)
	if s.state == stateLingering {
		r.discard(slot, len(b))
		return len(b), 1
	}
	mayFrames, why := r.mayRead(slot, len(b))
	if why != ReasonNone {
		return r.refuseRead(slot, why, len(b))
	}
	var ping uint64
	var applied uint16
	var pinged bool
	need = 1
	greeting := s.state == stateHandshaking
	frames, free, freeBytes := int64(0), int64(0), 0
	answers := r.unanswered(s) // what is sent meanwhile cannot have been answered
	for consumed < len(b) {
		f, size, err := codec.Decode(b[consumed:], r.maxFrame(s))
		if err == codec.ErrIncomplete {
			need = size
			break
		}
		if err != nil {
			return r.refuseRead(slot, reasonForMalformed(err), len(b))
		}
		consumed += size
		if frames++; greeting && frames > 1 && f.Type != codec.Bye {
			// Sent before WELCOME: refused by every node, and not only where that takes a while.
			return r.refuseRead(slot, ReasonUnexpected, len(b))
		}
		if isAnswer(f) && s.state == stateReady {
			var settled bool
			if settled, why = r.answer(slot, f); settled && free < answers {
				free, freeBytes = free+1, freeBytes+min(size, answerBytes)
			}
		}
		if frames-free > mayFrames {
			return r.refuseRead(slot, ReasonRateLimit, len(b))
		}
		if f.Type == codec.Ping && s.state == stateReady {
			if ping, applied, err = codec.ParsePing(f.Payload); err != nil {
				return r.refuseRead(slot, ReasonBadPayload, len(b))
			}
			pinged = true
			r.counters.Pings++
			r.renew(slot, f.Payload)
			continue
		}
		if why == ReasonNone {
			why = r.frame(slot, f)
		}
		if why != ReasonNone {
			r.finish(slot, why)
			return len(b), 1
		}
		if s.state == stateFree {
			return len(b), 1 // WELCOME did not reach it
		}
	}
	r.counters.BytesIn += uint64(consumed)
	r.counters.FramesIn += uint64(frames)
	if !r.charge(s, frames-free, consumed-freeBytes) {
		return r.refuseRead(slot, ReasonRateLimit, len(b)) // by more than what answers our own DELIVERs
	}
	if frames > 0 && s.state == stateReady {
		r.wheel.Touch(slot)
		s.setExcused(0)
	}
	r.watchPartial(slot, len(b)-consumed, frames > 0)
	if pinged {
		r.answerPing(slot, s, ping, applied)
	}
	r.flush(slot)
	return consumed, need
}

// answerPing answers the last PING of a read: those before it are answered by it, too. Who was held to new
// limits without a word of his own still has the longer timeout that he knew.
func (r *Reactor) answerPing(slot Slot, s *Session, ping uint64, applied uint16) {
	if s.terms != uint8(r.terms.Number) || r.wheel.TTL(slot) >= r.terms.Timeout+r.cfg.Tick {
		r.hasApplied(slot, applied)
	}
	r.pong(slot, ping)
}

// maxFrame is the largest payload that a connection may send.
func (r *Reactor) maxFrame(s *Session) int {
	if s.state != stateReady {
		return codec.MaxPayloadBeforeAuth
	}
	return r.boundsOf(s).maxFrame
}

// refuseRead ends a connection for what it has sent, of which nothing more is looked at.
func (r *Reactor) refuseRead(slot Slot, why Reason, size int) (consumed, need int) {
	r.sendAway(slot, why, linger)
	return size, 1
}

// mayRead says how many frames of a read of size bytes may be handled, or why none. A token
// is looked at here, too, and not only when the wheel says so: the wheel's time stands
// still with the server, a token's does not.
//
// What settles our own DELIVERs costs nothing: that we sent them is no fault of the client.
func (r *Reactor) mayRead(slot Slot, size int) (frames int64, why Reason) {
	s := r.sessions.at(slot)
	if x := r.extras.of(s); x.expires != 0 && r.clock.real >= x.expires {
		r.notice.Window = r.terms.Window
		return 0, ReasonTokenExpired
	}
	frames, bytes := r.allowance(s)
	answers := r.unanswered(s)
	if int64(size) > bytes+answers*answerBytes || frames+answers <= 0 {
		return 0, ReasonRateLimit
	}
	return frames, ReasonNone
}

// frame handles one complete frame that is no PING of a ready session. It returns why
// the connection must end, or ReasonNone.
func (r *Reactor) frame(slot Slot, f codec.Frame) Reason {
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
		if isAnswer(f) {
			break // has been heard
		}
		if s.is(superseded) {
			break // its client sends it again over the session that took the place
		}
		if r.keptOf(s) != nil {
			return r.keep(slot, f)
		}
		return r.message(slot, f)
	case codec.Ack, codec.Nack: // has been heard as an answer
	case codec.Bye:
		return ReasonBye
	default:
		if f.Type.Known() || f.Flags&codec.FlagIgnorable == 0 {
			return ReasonUnexpected
		}
	}
	return r.kicked()
}

// message has the application handle a SEND.
func (r *Reactor) message(slot Slot, f codec.Frame) Reason {
	number, body, err := parseSend(f)
	if err != nil {
		return ReasonBadPayload
	}
	r.counters.Sends++
	r.take(slot, number, body, f.Flags&codec.FlagWantsReply != 0)
	return r.kicked()
}

// kicked tells whether the application closed the session, or failed, just now.
func (r *Reactor) kicked() Reason {
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
