package client

import (
	"context"
	"fmt"
	"time"
)

// Request asks the server's application and returns its reply, which is yours. It waits as SendAcked
// does, first to send and then for the answer, until ctx ends, and its errors are those of
// SendAcked, with ErrNoReply for one thing more: the message was dealt with, and there is no reply. The
// application has acknowledged it only; or it had replied, and the reply went with a connection
// that was lost: then the request went again over the next, to a server that knew it. Under
// ErrUnknown and ErrNoReply the application may have done what it was asked.
//
// A request is otherwise a message as any: it is kept until it is settled and goes again over every
// new connection, so that the application may be asked twice. Called in a callback, it delays all
// the others; the reply is read all the same.
func (c *Client) Request(ctx context.Context, body []byte) (reply []byte, err error) {
	a, err := c.ask(ctx, body, c.link.Request)
	switch {
	case err != nil:
		return nil, err
	case a.err != nil:
		return nil, a.err
	case a.reply == nil:
		return nil, ErrNoReply
	}
	return a.reply, nil
}

// answer is what became of a message whose caller waits.
type answer struct {
	err   error
	reply []byte // nil: there is none
}

// Reply answers a message that wants a reply, where Ack would acknowledge it: in Deliver, or after
// AckLater. The body is copied. It waits as long as the limits of the server demand (a short reply
// is free of them), and for room in the queue, but not beyond the message's connection: ErrAnswered
// is as for Ack. With ErrTooLarge, of a body 8 bytes larger than Send could send, and with
// ErrNotAsked, of a message that wants none, nothing was sent and the message still waits for its
// answer.
func (m Message) Reply(body []byte) error {
	switch {
	case m.client == nil:
		return ErrAnswered
	case !m.WantsReply:
		return ErrNotAsked
	}
	c := m.client
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		k, err := m.waits()
		if k == nil {
			return err
		}
		if err := c.link.FitsReply(len(body)); err != nil {
			return fmt.Errorf("client: %w", err)
		}
		wait := c.replyPace(k, len(body))
		if wait == 0 && k.hasRoom(len(body), c.cfg.MaxQueued) {
			k.answered(m.Number)
			c.link.Reply(c.now(), m.attempt, m.Number, body, &c.out)
			c.act()
			return nil
		}
		_ = c.waitToSend(context.Background(), waiting{atMost: wait}) // the end of the connection ends it
	}
}

// replyPace is pace for a reply.
func (c *Client) replyPace(k *conn, n int) time.Duration {
	return c.paced(k, func() time.Duration { return c.link.ReplyPace(c.now(), k.attempt, n) })
}
