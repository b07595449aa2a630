package reactor

import (
	"math"

	"github.com/stormwheel/stormwheel/codec"
)

// pong answers the latest PING of a callback. While the peer does not read, at most one
// answer waits, and it is the latest.
func (r *Reactor) pong(slot Slot, token uint64) {
	s := r.sessions.at(slot)
	if s.is(backlogged) {
		x := r.extras.need(s)
		x.pongDue, x.pongToken = true, token
		return
	}
	s.set(ponged)
	r.writeAck() // who hears the answer to his last PING has heard all
	r.out = codec.AppendPong(r.out, codec.PongMessage{Token: token, Terms: r.terms, Expires: r.endLeft(s)})
	r.counters.Pongs++
}

// Deliver queues a DELIVER for the session of the present callback that wants no answer. It
// returns ErrClosed, ErrTooBig, or ErrQueue where more than MaxQueued would wait: that is much for
// one callback, and a client that has not read what was sent to it before is closed for it.
func (r *Reactor) Deliver(slot Slot, body []byte) error { return r.DeliverAwaited(slot, body, nil) }

// DeliverAwaited is Deliver for a message whose outcome the application is told, once, unless
// there is an error. Beyond MaxAwaited of a session, or MaxQueued that would wait to be written,
// that is ErrWindow.
func (r *Reactor) DeliverAwaited(slot Slot, body []byte, w Waiter) error {
	if r.sessions.at(slot).is(superseded) {
		return ErrClosed // what was posted before is on its way still
	}
	return r.deliver(slot, body, w, 0)
}

func (r *Reactor) deliver(slot Slot, body []byte, w Waiter, flags codec.Flags) error {
	s := r.sessions.at(slot)
	switch {
	case s.is(gone):
		return ErrClosed
	case len(body)+8 > r.cfg.MaxFrame:
		return ErrTooBig
	case w != nil && (r.unanswered(s) >= MaxAwaited || !r.hasRoom(slot, len(body))):
		return ErrWindow
	case r.overflows(slot, len(body)):
		return ErrQueue
	}
	number := uint64(0)
	if w != nil {
		number = r.await(slot, w)
	}
	if flags == codec.FlagWantsReply {
		r.out = codec.AppendRequest(r.out, codec.Deliver, number, body)
	} else {
		r.out = codec.AppendDeliver(r.out, number, body)
	}
	r.counters.Delivers++
	return nil
}

// overflows says whether a body is too much for one callback. A client that has not read what was
// sent to it before is closed for that.
func (r *Reactor) overflows(slot Slot, size int) bool {
	if len(r.out) == 0 || len(r.out)+size <= r.cfg.MaxQueued {
		return false
	}
	if r.sessions.at(slot).is(backlogged) {
		r.kick = codec.CodeSlowConsumer
	}
	return true
}

// hasRoom says whether a body may wait for a session without an end to it. What is alone may
// always.
func (r *Reactor) hasRoom(slot Slot, size int) bool {
	waiting := len(r.out)
	if r.sessions.at(slot).is(backlogged) {
		waiting += r.transport.Queued(slot)
	}
	return waiting == 0 || waiting+size+codec.Overhead+8 <= r.node.Budget.Bound(r.cfg.MaxQueued)
}

// DeliverOptional is Deliver, unless the client is slow: then it returns ErrSlow. A message that is larger than
// SoftQueued must have its chance, too: one goes when none waits.
func (r *Reactor) DeliverOptional(slot Slot, body []byte) error {
	if r.sessions.at(slot).is(superseded) {
		return ErrClosed
	}
	return r.deliverOptional(slot, body)
}

func (r *Reactor) deliverOptional(slot Slot, body []byte) error {
	s := r.sessions.at(slot)
	if soft := r.cfg.SoftQueued; soft >= 0 && !s.is(gone) {
		waiting := len(r.out)
		if s.is(backlogged) {
			waiting += r.transport.Queued(slot)
		}
		if waiting+len(body) > soft && (s.is(backlogged) || holdsMessage(r.out)) {
			r.counters.Dropped++
			return ErrSlow
		}
	}
	return r.deliver(slot, body, nil, 0)
}

// Kick ends the session of the present callback when it returns, with a GOAWAY of the given code: the
// frame goAway, which must not change until then, or where that is nil one like any other.
func (r *Reactor) Kick(code codec.Code, goAway []byte) { r.kick, r.goodbye = code, goAway }

// Panicked ends the session of the present callback, whose application has failed.
func (r *Reactor) Panicked() {
	r.counters.Panics++
	r.kick = codec.CodeInternal
}

// holdsMessage reports whether there is a DELIVER among the frames of out, which are whole.
func holdsMessage(out []byte) bool {
	for len(out) > 0 {
		f, size, err := codec.Decode(out, math.MaxInt32)
		if err != nil || f.Type == codec.Deliver {
			return true
		}
		out = out[size:]
	}
	return false
}

// flush hands the callback's output to the transport. The connection may be gone when it
// returns.
func (r *Reactor) flush(slot Slot) {
	r.writeAck()
	if len(r.out) == 0 {
		return
	}
	b := r.out
	r.out = r.out[:0]
	r.write(slot, b)
}

// write hands whole frames to the transport: the only place where bytes leave, so that the bound
// on what waits for one peer holds everywhere. r.out is empty. The connection may be gone when it
// returns.
func (r *Reactor) write(slot Slot, b []byte) {
	s := r.sessions.at(slot)
	if s.is(backlogged) && !s.is(gone) { // a goodbye has room
		if why := r.tooMuch(r.transport.Queued(slot) + len(b)); why != ReasonNone {
			r.sendAway(slot, why, reset)
			return
		}
	}
	s.set(spoken)
	r.counters.BytesOut += uint64(len(b))
	sent, queued := r.transport.Write(slot, b)
	r.Sent(slot, sent, queued)
}

// Sent notes that size bytes were written to a connection, if it is still there, and that queued
// ones wait for the kernel. A transport calls it that has words of its own, too. The connection
// may be gone when it returns.
func (r *Reactor) Sent(slot Slot, size, queued int) {
	s := r.sessions.at(slot)
	if s.state == stateFree {
		return
	}
	if s.is(watched) {
		r.extras.need(s).owed += int64(size)
	}
	switch {
	case s.is(backlogged):
		r.backlog(s, queued)
	case queued > 0:
		r.backlog(s, queued)
		if !s.is(watched) {
			r.watch(slot)
		}
		if why := r.tooMuch(queued); why != ReasonNone && !s.is(gone) {
			r.sendAway(slot, why, reset)
			return
		}
		r.wheel.Pull(slot, r.now+r.cfg.Tick)
	}
}

// tooMuch says whether queued bytes are more than may wait for one client.
func (r *Reactor) tooMuch(queued int) Reason {
	switch {
	case queued > r.cfg.MaxQueued:
		return ReasonSlowConsumer
	case queued > r.node.Budget.Bound(r.cfg.MaxQueued):
		return ReasonQueueBudget
	default:
		return ReasonNone
	}
}
