package client

import (
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
)

// Message is one that the server sent. A copy of it may be answered from any goroutine.
type Message struct {
	Number     uint64 // within its connection; 0: it wants no answer
	Body       []byte // valid until Deliver returns
	WantsReply bool   // Reply answers it; if Ack does, or the return of Deliver, there is none

	client  *Client
	attempt uint32
}

// maxLater is how many messages of a connection wait for an answer. A server that sends more
// breaks its promise.
const maxLater = 256

// AckLater keeps the return of Deliver from acknowledging the message: its caller will call
// Ack, AckWith, Nack or Reply. It is for Deliver; later it does nothing. A server has 256 messages at most that
// wait for an answer, and sends no more meanwhile. If Deliver panics after it, the message is
// refused as without it.
func (m Message) AckLater() {
	if m.client == nil {
		return
	}
	m.client.mu.Lock()
	defer m.client.mu.Unlock()
	if k := m.client.find(m.attempt); k != nil && k.delivering == m.Number && m.Number != 0 {
		if k.later == nil {
			k.later = map[uint64]struct{}{}
		}
		k.delivering, k.later[m.Number] = 0, struct{}{}
	}
}

// Ack tells the server that the message is dealt with: in Deliver, whose return does so
// anyway, or after AckLater. It does not wait. ErrAnswered means that this was done before, or
// that nothing more is written to the connection by which the message came: it has gone, or BYE
// was said on it. Whether the message comes again is the server's to say. A message that
// wants no answer gets none, without an error.
func (m Message) Ack() error { return m.AckWith(0) }

// AckWith is Ack with a word for the server's application, which finds it in Outcome.What of
// package server: what this one did with the message, as the two have agreed. 0 is Ack: it took
// the message.
func (m Message) AckWith(what uint8) error {
	if m.client == nil {
		return ErrAnswered
	}
	m.client.mu.Lock()
	defer m.client.mu.Unlock()
	k, err := m.waits()
	if k != nil {
		m.client.ack(k, m.Number, what)
		k.answered(m.Number)
	}
	return err
}

// Nack refuses the message for good. code says why, and from 1 to 99 that it may be taken
// another time; see codec.NackCode. One that is not ForApplications is ErrCode, and the message waits
// for its answer as before. Who hands on the code of another's refusal, which may be any, asks that
// first and has another ready: codec.NackBusy where Again says so, else codec.NackRefused. reason is
// for people: text of 256 bytes at most without control characters; another is an error, and the
// message is refused without one. Otherwise it is like Ack.
func (m Message) Nack(code codec.NackCode, reason string) error {
	if m.client == nil {
		return ErrAnswered
	}
	m.client.mu.Lock()
	defer m.client.mu.Unlock()
	k, err := m.waits()
	if k == nil {
		return err
	}
	if !code.ForApplications() {
		return fmt.Errorf("%w: NACK %d", ErrCode, uint16(code))
	}
	if err := m.client.nack(k, m.Number, code, reason); err != nil {
		_ = m.client.nack(k, m.Number, code, "") // it must not be acknowledged for its reason
		return err
	}
	return nil
}

// waits returns the connection of a message that waits for its answer. It needs mu.
func (m Message) waits() (*conn, error) {
	if m.Number == 0 {
		return nil, nil
	}
	if k := m.client.find(m.attempt); k != nil && k.failed == nil && m.client.link.Answerable(m.attempt) {
		if _, later := k.later[m.Number]; later || k.delivering == m.Number {
			return k, nil
		}
	}
	return nil, ErrAnswered
}

func (k *conn) answered(number uint64) {
	if k.delivering == number {
		k.delivering = 0
	}
	delete(k.later, number)
}

// deliver hands a message over. One that the application fails to handle, or does not want, is
// refused.
func (c *Client) deliver(m Message) {
	c.mu.Lock()
	k := c.find(m.attempt)
	if k != nil && len(k.later) >= maxLater && m.Number != 0 {
		_ = c.nack(k, m.Number, codec.NackBusy, "") // no reason to fail
		c.mu.Unlock()
		return
	}
	if k != nil {
		k.delivering = m.Number
	}
	c.mu.Unlock()
	answer := func(well bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if k == nil || !c.wanted(k) || m.Number == 0 {
			return
		}
		_, later := k.later[m.Number]
		if k.delivering != m.Number && (well || !later) {
			return
		}
		switch {
		case !well:
			_ = c.nack(k, m.Number, codec.NackInternal, "") // no reason to fail
		case c.cfg.Deliver == nil:
			_ = c.nack(k, m.Number, codec.NackRefused, "")
		default:
			c.ack(k, m.Number, 0)
			k.delivering = 0
		}
	}
	if c.cfg.Deliver == nil || c.call("Deliver", func() { c.cfg.Deliver(m) }, func() { answer(false) }) {
		answer(true)
	}
}

// nack needs mu.
func (c *Client) nack(k *conn, number uint64, code codec.NackCode, reason string) error {
	sent, err := c.link.Nack(c.now(), k.attempt, &codec.NackMessage{Number: number, Code: code, Reason: []byte(reason)}, &c.out)
	c.act()
	if err != nil {
		return err
	}
	k.answered(number)
	if !sent {
		return ErrAnswered
	}
	return nil
}

// ack acknowledges a message. What waits behind a Write is joined to a range where the numbers
// follow each other and the word is the same. It needs mu.
func (c *Client) ack(k *conn, number uint64, what uint8) {
	if k.acks.Last != 0 && number == k.acks.Last+1 && what == k.acks.What {
		k.acks.Last = number
	} else {
		c.flushAcks(k)
		k.acks = codec.AckMessage{Range: codec.Range{First: number, Last: number}, What: what}
	}
	if !k.writer {
		c.flushAcks(k)
	}
}

// flushAcks has the link write what ack has put off. It needs mu.
func (c *Client) flushAcks(k *conn) {
	if m := k.acks; m.Last != 0 {
		k.acks = codec.AckMessage{}
		c.link.Ack(c.now(), k.attempt, m, &c.out)
		c.act()
	}
}

func (c *Client) flushAllAcks() { c.flushAcksBut(nil) }

func (c *Client) flushAcksBut(k *conn) {
	for i := 0; i < len(c.conns); i++ { // a failing one may leave
		if c.conns[i] != k {
			c.flushAcks(c.conns[i])
		}
	}
}
