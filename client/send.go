package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
)

// Outcome is what became of a message that was sent.
type Outcome struct {
	// Err is nil if the server's application has the message. A *RefusedError is its NACK. Any
	// other error is ErrUnknown, with its cause: ErrLost, ErrClosed, ErrTooLarge.
	Err error

	// What is the word of the server's application beside its ACK; 0: it took the message.
	What uint8

	// Body is that of the message if Err is not nil: a copy, yours, since the client has none any
	// more. It is nil where so many wait for a callback to return that their bytes are more than
	// 256 times Config.MaxPayload.
	//
	// To try again, where a *RefusedError says Again, is to call Send with it: the message gets a
	// new number, and its place behind those that were sent meanwhile. In Settled, where a Send
	// delays the callbacks, hand it to another goroutine; after a while, or the answer is the same.
	Body []byte
}

// maxBodies bounds, in bytes, the bodies in outcomes that wait for Settled: all that can be
// unsettled at once has room.
func (c *Client) maxBodies() int { return 256 * c.linkCfg.MaxPayload }

// Sent is a message that was sent.
type Sent struct {
	Incarnation uint64 // of the Client that sent it, see Info
	Number      uint64 // what Send returned
	Body        []byte // a copy, yours
}

// Send writes a message for the server's application, keeps a copy until it is settled, and
// returns its number, from 1 on. It waits for a session, for room in the queue, as long as the
// limits that the server told demand, and while so many messages are unsettled as the server
// allows, 256 at most; until ctx ends, whose error it returns then. With an error nothing was sent.
//
// Written is not delivered: Config.Settled tells that, once for each number, perhaps before
// Send returns. What is not settled when a session ends is sent again over the next one, before
// anything new and in order, with its number. A node that has it already knows that, and does not
// give it to its application twice; another node, or one that was started anew, may, and its
// application knows it by ID, incarnation and number. Config.AtMostOnce turns that off.
//
// Incarnation and number name a message for as long as this Client lives. One that is sent anew,
// by this Client or the next, has another name: where the server's application has to recognise
// it still, its body needs a key of the application's.
//
// A message that is larger than MaxPayload allows, or than the server of the present or
// latest session takes, is ErrTooLarge, at once. The next server may take less: what is to be
// sent again then is settled with that error.
//
// Called in a callback, it delays all the others while it waits.
func (c *Client) Send(ctx context.Context, body []byte) (number uint64, err error) {
	err = c.whenPossible(ctx, len(body), func() (err error) {
		number, err = c.link.Send(c.now(), body, &c.out)
		return err
	})
	return number, err
}

// SendAcked is Send that waits for the answer. It returns nil when the server's application has
// the message, and a *RefusedError when it does not take it. With ErrUnknown, the message was
// written and may have arrived: ctx has ended, whose error that wraps, and it is not sent
// again; or the client has ended (ErrClosed); or the connection was lost under AtMostOnce
// (ErrLost); or another server takes less (ErrTooLarge). With any other error nothing was sent.
// Settled and Unsent do not tell of it. Called in a callback, it delays all the others.
func (c *Client) SendAcked(ctx context.Context, body []byte) error {
	a, err := c.ask(ctx, body, c.link.Send)
	if err != nil {
		return err
	}
	return a.err
}

// ask sends a message and waits for what becomes of it. With an error nothing was sent.
func (c *Client) ask(ctx context.Context, body []byte, send func(time.Duration, []byte, *link.Out) (uint64, error)) (answer, error) {
	answers := make(chan answer, 1)
	var number uint64
	err := c.whenPossible(ctx, len(body), func() (err error) {
		if number, err = send(c.now(), body, &c.out); err == nil {
			if c.awaited == nil {
				c.awaited = map[uint64]chan<- answer{}
			}
			c.awaited[number] = answers
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starve()
	defer func() { c.starving-- }()
	c.mu.Unlock()
	select {
	case a := <-answers:
		c.mu.Lock()
		return a, nil
	case <-ctx.Done():
		c.mu.Lock()
	}
	if _, ok := c.awaited[number]; !ok {
		return <-answers, nil // it came meanwhile
	}
	delete(c.awaited, number)
	c.link.GiveUp(c.now(), number, &c.out)
	c.act()
	c.wakeSenders()
	return answer{err: unknown(ctx.Err())}, nil
}

// Post writes a message that wants no answer. It waits as Send does, for its turn behind a Send
// that waits and for what is sent again, but for no answer of its own; nothing is kept, nothing
// told, and the message is lost with its connection. A server whose application takes nothing of
// this client for a time keeps 256 of them, and ends the session with codec.CodeRateLimit beyond.
func (c *Client) Post(ctx context.Context, body []byte) error {
	return c.whenPossible(ctx, len(body), func() error { return c.link.Post(c.now(), body, &c.out) })
}

// Unsent returns what Send took and nobody has settled, in order, once the client has ended: it
// may have arrived, or not. Before that it returns nil. Settled tells of these numbers, too,
// with ErrClosed.
//
// Sent by another Client they have that one's incarnation and new numbers, so that the server's
// application cannot tell that it has seen one of them but by a key in its body.
func (c *Client) Unsent() []Sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unsent
}

// whenPossible calls send, with mu held, as soon as a message of n bytes may be sent, but not
// once ctx has ended.
func (c *Client) whenPossible(ctx context.Context, n int, send func() error) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := false
	defer func() {
		if first {
			<-c.turn
		}
	}()
	for {
		if c.state() == Stopped {
			return c.closedErr()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.link.Fits(n); err != nil {
			return fmt.Errorf("client: %w", err)
		}
		w := waiting{}
		if k := c.current(); c.state() == Ready && k.hasRoom(n, c.cfg.MaxQueued) {
			if first || len(c.turn) == 0 {
				if w.atMost = c.pace(k, n); w.atMost == 0 {
					err := send()
					c.act()
					if w.answers = errors.Is(err, link.ErrFull); !w.answers {
						return err
					}
				}
			}
			if !first {
				if first, err = c.queueUp(ctx); err != nil {
					return err
				}
				continue
			}
		}
		if err := c.waitToSend(ctx, w); err != nil {
			return err
		}
	}
}

// closedErr is ErrClosed with what ended the client. It needs mu.
func (c *Client) closedErr() error {
	if c.err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, c.err)
	}
	return ErrClosed
}

func unknown(why error) error { return fmt.Errorf("%w: %w", ErrUnknown, why) }

// outcome is what an event says of its messages.
func outcome(e *link.Event) Outcome {
	switch e.Kind {
	case link.Acked, link.Replied:
		return Outcome{What: e.What}
	case link.Nacked:
		return Outcome{Err: e.Err, Body: e.Body}
	default:
		return Outcome{Err: unknown(e.Err), Body: e.Body}
	}
}

// settled hands on what became of messages: to who waits for one, and the others to Settled. It
// needs mu.
func (c *Client) settled(e *link.Event) {
	c.wakeSenders()
	told := *e
	for n := e.ID; n <= e.Last; n++ {
		answers, ok := c.awaited[n]
		if !ok {
			continue
		}
		delete(c.awaited, n)
		a := answer{err: outcome(e).Err}
		if e.Kind == link.Replied {
			a.reply = append([]byte{}, e.Body...)
		}
		answers <- a // has room
		if told.Last = n - 1; told.ID <= told.Last {
			c.noticeSettled(told)
		}
		told.ID = n + 1
	}
	if told.Last = e.Last; told.ID <= told.Last {
		c.noticeSettled(told)
	}
}

func (c *Client) noticeSettled(e link.Event) {
	if c.cfg.Settled != nil {
		if c.bodies+len(e.Body) > c.maxBodies() {
			e.Body = nil
		}
		e.Body = append([]byte(nil), e.Body...) // the link uses its buffer again
		c.bodies += len(e.Body)
		c.push(notice{event: e})
	}
}

// ended gives back what the client has not settled. It needs mu.
func (c *Client) ended() {
	why, incarnation := c.closedErr(), c.link.Info().Incarnation
	c.link.EachUnsettled(func(number uint64, body []byte) {
		if _, ok := c.awaited[number]; !ok {
			c.unsent = append(c.unsent, Sent{incarnation, number, append([]byte(nil), body...)})
		}
		c.settled(&link.Event{Kind: link.GivenUp, ID: number, Last: number, Body: body, Err: why})
	})
}
