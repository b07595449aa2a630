package reactor

import "github.com/stormwheel/stormwheel/codec"

// Requests and replies, both ways. What wants a reply is a DELIVER that is awaited, or a SEND, as any
// other; a reply is an answer that says more than an ACK.

// Request is DeliverAwaited for a message that wants a reply.
func (r *Reactor) Request(slot Slot, body []byte, w Waiter) error {
	if r.sessions.at(slot).is(superseded) {
		return ErrClosed
	}
	return r.deliver(slot, body, w, codec.FlagWantsReply)
}

// Request leaves a message that wants a reply. Otherwise it is DeliverAwaited.
func (m *Mailbox) Request(handle uint64, body []byte, w Waiter) error {
	return m.putBody(post{kind: postRequest, handle: handle, waiter: w}, body)
}

// awaited says whether the application is told what becomes of a post.
func (p *post) awaited() bool { return p.kind == postAwaited || p.kind == postRequest }

// isAnswer says whether a frame of a client's answers a DELIVER.
func isAnswer(f codec.Frame) bool {
	return f.Type == codec.Ack || f.Type == codec.Nack || f.Type == codec.Send && f.Flags&codec.FlagReply != 0
}

// parseSend reads a SEND that is no reply.
func parseSend(f codec.Frame) (number uint64, body []byte, err error) {
	if f.Flags&codec.FlagWantsReply != 0 {
		return codec.ParseRequest(f.Payload)
	}
	return codec.ParseMessage(f.Payload)
}

// replied handles a reply of a client's.
func (r *Reactor) replied(slot Slot, payload []byte) (settled bool, why Reason) {
	to, body, err := codec.ParseReply(payload)
	if err != nil {
		return false, ReasonBadPayload
	}
	r.counters.RepliesIn++
	return r.settle(slot, codec.Range{First: to, Last: to}, Outcome{Result: Replied, Reply: body}), ReasonNone
}

// Reply settles a SEND, if it is open, with a reply that is queued for the session of the present
// callback, or told to the client's newest session. It takes room as a DELIVER does: its errors are
// those of Deliver, and with one the SEND stays open. The number 0 is nobody's: then nothing happens.
func (r *Reactor) Reply(slot Slot, to uint64, body []byte) error {
	switch {
	case r.sessions.at(slot).is(gone):
		return ErrClosed
	case to == 0:
		return nil
	case len(body)+16 > r.cfg.MaxFrame:
		return ErrTooBig
	}
	if from := r.senderOf(slot); from != nil {
		return r.replySend(slot, from, to, body)
	}
	return r.reply(slot, to, body)
}

// reply queues a reply for the session of the present callback.
func (r *Reactor) reply(slot Slot, to uint64, body []byte) error {
	if r.overflows(slot, len(body)) {
		return ErrQueue
	}
	r.writeAck() // of two words about a message the first counts
	r.out = codec.AppendReply(r.out, codec.Deliver, to, body)
	r.counters.RepliesOut++
	return nil
}

// Reply leaves a reply to a SEND.
func (m *Mailbox) Reply(handle, to uint64, body []byte) error {
	if to == 0 {
		return nil
	}
	return m.putBody(post{kind: postReply, handle: handle, ack: codec.AckOf(to)}, body)
}
