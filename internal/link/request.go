package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Request is Send for a message that wants a reply, which the event Replied brings, once. Acked
// tells that there is none, though the message was dealt with.
func (l *Link) Request(now time.Duration, body []byte, out *Out) (number uint64, err error) {
	return l.send(now, body, true, out)
}

// replied settles a message by what the server's application replies. To one that has not asked
// it is an ACK.
func (l *Link) replied(now time.Duration, c *conn, number uint64, body []byte, out *Out) {
	i, ok := l.outstanding(now, c, number)
	if !ok {
		return
	}
	s := l.sends
	if m := &s.kept[i]; !m.ghost {
		e := Event{Kind: Acked, Attempt: c.attempt, ID: number, Last: number}
		if m.asks {
			e.Kind, e.Body = Replied, body
		}
		out.notify(e)
	}
	s.answered(i, i+1, c.attempt)
	l.resend(now, out)
}

// message hands on what the server's application has sent.
func (l *Link) message(now time.Duration, c *conn, f codec.Frame, out *Out) error {
	if f.Flags&codec.FlagReply != 0 {
		to, body, err := codec.ParseReply(f.Payload)
		if err != nil {
			return err
		}
		l.replied(now, c, to, body, out)
		return nil
	}
	parse, asks := codec.ParseMessage, f.Flags&codec.FlagWantsReply != 0
	if asks {
		parse = codec.ParseRequest
	}
	id, body, err := parse(f.Payload)
	if err != nil {
		return err
	}
	out.notify(Event{Kind: Delivered, Attempt: c.attempt, ID: id, WantsReply: asks, Body: body})
	return nil
}

// Reply answers a message of the server's that wants a reply, as Ack answers others. ReplyPace has
// passed, and FitsReply says that the body is not too large.
func (l *Link) Reply(now time.Duration, attempt uint32, to uint64, body []byte, out *Out) bool {
	c := l.answerable(attempt)
	if c == nil || to == 0 {
		return c != nil
	}
	start := len(out.frames)
	out.frames = codec.AppendReply(out.frames, codec.Send, to, body)
	if c == l.current() {
		l.spendReply(len(out.frames) - start)
	}
	l.wrote(now, c, start, out)
	return true
}

// replyOverhead is what a reply has beside its body, in bytes.
const replyOverhead = sendOverhead + messageOverhead

// beyond is how many bytes of a reply of n in all count against a rate.
func beyond(n int) int { return max(n-codec.MaxAnswer, 0) }

// ReplyPace returns how long a reply with a body of n bytes, over an attempt's connection, has to
// wait by the limits of the session, as Pace does. Short ones need not, and a connection that the
// session has left ends before its limits matter.
func (l *Link) ReplyPace(now time.Duration, attempt uint32, n int) time.Duration {
	size := beyond(n + replyOverhead)
	if size == 0 || attempt != l.current().attempt {
		return 0
	}
	return l.paceOf(now, cost{bytes: float64(size)})
}

// FitsReply is Fits for the body of a reply.
func (l *Link) FitsReply(n int) error { return l.fits(n, messageOverhead) }

// spendReply counts a reply of n bytes in all.
func (l *Link) spendReply(n int) {
	if l.pace != nil {
		l.pace.later.bytes += float64(beyond(n))
	}
	if s := l.sends; s != nil && beyond(n) > 0 {
		s.untaken += n
		s.probe = 0 // an ACK of what was sent before does not tell that this was read
	}
}
