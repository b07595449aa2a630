package reactor

import (
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
)

// come is a client that comes for the first time, or again.
func (m *mix) come() {
	c := &mixed{on: m.loops[m.rnd.IntN(2)], from: Origin{uint64(m.rnd.IntN(5)), uint32(m.rnd.IntN(4))}}
	id := fmt.Sprint("id", c.from.Incarnation%2)
	if m.rnd.IntN(3) > 0 && len(m.clients) > 0 {
		old := m.clients[m.rnd.IntN(len(m.clients))]
		c.from, c.pass, c.number = Origin{old.from.Incarnation, old.from.Attempt + 1}, old.pass, old.number
		id = fmt.Sprint("id", c.from.Incarnation%2)
	}
	c.slot, c.p = c.on.dial()
	switch g := c.on.r.node.Conns; {
	case g.Enter():
		c.on.r.joinPending(c.slot, admitted)
	case g.Knock():
		c.on.r.joinPending(c.slot, knocking)
	default:
		c.on.r.refuse(c.slot, ReasonFull, linger)
		return
	}
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id),
		Incarnation: c.from.Incarnation, Attempt: c.from.Attempt, ReturnPass: c.pass})
	if err != nil {
		m.t.Fatal(err)
	}
	c.handle = c.on.r.Handle(c.slot)
	m.clients = append(m.clients, c)
	c.on.r.receive(c.on.now, c.slot, b)
}

// there says whether a client's connection is.
func (c *mixed) there() bool {
	_, ok := c.on.r.find(c.handle)
	return ok
}

// speak has a client send something.
func (m *mix) speak(c *mixed) {
	if f := frames(m.t, c.p.in); len(f) > 0 && f[0].Type == codec.Welcome {
		if w, err := codec.ParseWelcome(f[0].Payload); err == nil {
			c.pass = append([]byte(nil), w.ReturnPass...)
		}
	}
	if c.on.r.sessions.at(c.slot).state == stateAuthenticating && m.rnd.IntN(4) > 0 {
		return
	}
	var b []byte
	for range 1 + m.rnd.IntN(4) {
		switch m.rnd.IntN(12) {
		case 0, 1:
			b = codec.AppendPing(b, 1, 0)
		case 2:
			b = codec.AppendAck(b, codec.AckMessage{Range: codec.Range{First: 1, Last: uint64(1 + m.rnd.IntN(9))}})
		case 3:
			b = codec.AppendReply(b, codec.Send, uint64(1+m.rnd.IntN(9)), []byte("well"))
		case 4:
			if m.rnd.IntN(6) == 0 {
				b = codec.AppendBye(b)
			}
		case 5:
			b, _ = codec.AppendRenewal(b, 1, 0, []byte("token"))
		case 6:
			if c.number > 2 {
				b = codec.AppendSend(b, c.number-uint64(m.rnd.IntN(3)), []byte("again"))
			}
		case 7:
			c.number++
			b = codec.AppendRequest(b, codec.Send, c.number, []byte("?"))
		default:
			c.number++
			b = codec.AppendSend(b, c.number, make([]byte, m.rnd.IntN(200)))
		}
	}
	c.held = append(c.held, b...)
	cut := len(c.held)
	if m.rnd.IntN(4) == 0 {
		cut -= m.rnd.IntN(cut + 1)
	}
	if cut == 0 {
		return
	}
	c.p.held = cut
	c.held = c.held[c.on.r.Receive(c.on.now, c.slot, c.held[:cut]):]
	c.p.held = 0
	if cut > 0 && c.there() {
		c.p.held = min(cut, len(c.held))
	}
}
