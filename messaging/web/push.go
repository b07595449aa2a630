package web

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

// content is what is sent, in the body of a request.
type content struct {
	From    *string `json:"from"` // the user it is said to come from; nil: the node
	Content *string `json:"content"`
	Base64  []byte  `json:"content_base64"` // in place of Content
}

// userMessage is the body of a push to a user.
type userMessage struct {
	content
	At   time.Time `json:"at"`
	Life string    `json:"life"` // as time.ParseDuration has it
}

// pushed is the answer to a push.
type pushed struct {
	Result   string    `json:"result"` // delivered, durable, held, pending; taken, by a room; sent, to all
	Device   string    `json:"device,omitempty"`
	Epoch    string    `json:"epoch,omitempty"` // of the room, 16 hexadecimal digits
	Offset   uint64    `json:"offset,omitempty"`
	Sessions *int      `json:"sessions,omitempty"`
	Partial  bool      `json:"partial,omitempty"` // a node did not answer, and may not have sent it
	Message  messageID `json:"message"`
}

func (m *content) message() (out messaging.Message, err error) {
	if (m.Content == nil) == (m.Base64 == nil) {
		return out, failure(codeBadRequest, "One of content and content_base64 is wanted.")
	}
	if m.From != nil {
		if err := checkUser("from", *m.From); err != nil {
			return out, err
		}
		if !messaging.ValidName(*m.From) {
			return out, failure(codeBadName, "The member from is no name of a user.")
		}
		out.From = *m.From
	}
	if out.Content = m.Base64; m.Content != nil {
		out.Content = []byte(*m.Content)
	}
	return out, nil
}

// message is what is to be sent; most is the longest life that it can have.
func (m *userMessage) message(most time.Duration) (out messaging.Message, err error) {
	if out, err = m.content.message(); err != nil {
		return out, err
	}
	out.At = m.At
	if m.Life != "" {
		if out.Life, err = time.ParseDuration(m.Life); err != nil || out.Life <= 0 {
			return out, failure(codeBadRequest, "The member life is a time as in 90s or 24h, not %.40q.", m.Life)
		}
		if out.Life > most {
			return out, failure(codeBadRequest, "The member life is %.40q, and the node keeps nothing longer than %v.", m.Life, most)
		}
	}
	return out, nil
}

// pushUser sends a message to a user, and answers when it is known what became of it.
func (c *call) pushUser() reply {
	var m userMessage
	wait, err := c.wait()
	if err != nil {
		return c.failed(err)
	}
	body, err := c.read(&m)
	if err != nil {
		return c.failed(err)
	}
	message, err := m.message(c.hub.Life())
	if err != nil {
		return c.failed(err)
	}
	user := c.names["user"]
	return c.once(body, wait, func(id messaging.ID, settled func(reply)) {
		message.ID = id
		if err := c.hub.Push(user, message, func(o messaging.Outcome) { settled(c.outcome(o)) }); err != nil {
			settled(c.failed(err))
		}
	})
}

// outcome is the answer when it is known what became of a message to a user.
func (c *call) outcome(o messaging.Outcome) reply {
	switch {
	case o.Err != nil:
		return c.failed(o.Err)
	case o.Result == messaging.Expired:
		return failure(codeExpired, "The message's life ended before anybody took it.").reply()
	}
	return answered(http.StatusOK, pushed{Result: o.Result.String(), Device: o.Device, Message: idOf(o.ID)})
}

// pushRoom sends a message to a room.
func (c *call) pushRoom() reply {
	room := c.names["room"]
	return c.publish(func(m messaging.Message) reply {
		at, err := c.hub.PushRoom(c.ctx, room, m)
		if err != nil {
			return c.failed(err)
		}
		return answered(http.StatusOK, pushed{Result: "taken", Epoch: fmt.Sprintf("%016x", at.Epoch), Offset: at.Offset, Message: idOf(m.ID)})
	})
}

// broadcast sends a message to all sessions.
func (c *call) broadcast() reply {
	return c.publish(func(m messaging.Message) reply {
		sessions, err := c.hub.Broadcast(c.ctx, m)
		partial := errors.Is(err, messaging.ErrPartial)
		if err != nil && !partial {
			return c.failed(err)
		}
		return answered(http.StatusAccepted, pushed{Result: "sent", Sessions: &sessions, Partial: partial, Message: idOf(m.ID)})
	})
}

// publish reads a message to many, which is sent at once.
func (c *call) publish(send func(messaging.Message) reply) reply {
	var m content
	body, err := c.read(&m)
	if err != nil {
		return c.failed(err)
	}
	message, err := m.message()
	if err != nil {
		return c.failed(err)
	}
	return c.once(body, callTime, func(id messaging.ID, settled func(reply)) {
		message.ID = id
		settled(send(message))
	})
}

// once does a push, unless one with its key was done: then the answer is that one's. settled is to be called
// once, whenever that is; who waits no longer is told that it is pending.
func (c *call) once(body []byte, wait time.Duration, push func(id messaging.ID, settled func(reply))) reply {
	key, err := c.key()
	if err != nil {
		return c.failed(err)
	}
	id, first := c.ids.next(), (*keyed)(nil)
	if key != "" {
		name := sha256.Sum256(fmt.Appendf(nil, "%q %q", c.names, key)) // to another user or room it is another message
		var instead *reply
		if first, instead = c.keys.begin(name, sha256.Sum256(bytes.TrimSpace(body)), time.Now()); instead != nil {
			return *instead
		}
		id = c.ids.ofKey(name)
	}
	answer, begun := make(chan reply, 1), false
	defer func() {
		if !begun && first != nil { // it panicked
			c.keys.forget(first)
		}
	}()
	push(id, func(re reply) {
		if first != nil {
			c.keys.settle(first, re, time.Now())
		}
		answer <- re
	})
	begun = true
	return c.await(answer, wait, id)
}

// await waits for the answer, if its client does.
func (c *call) await(answer <-chan reply, wait time.Duration, id messaging.ID) reply {
	enough := time.NewTimer(wait)
	defer enough.Stop()
	select {
	case re := <-answer:
		return re
	case <-enough.C:
	case <-c.r.Context().Done():
	}
	select {
	case re := <-answer: // there are both
		return re
	default:
	}
	return answered(http.StatusAccepted, pushed{Result: "pending", Message: idOf(id)})
}
