package servertest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// What the client was told, in the order in which it came. Each Expect takes the next frame and
// fails the test if that is another, or there is none.

// ExpectWelcome expects WELCOME.
func (c *Client) ExpectWelcome() codec.WelcomeMessage {
	c.n.t.Helper()
	m, err := codec.ParseWelcome(c.next(codec.Welcome, "WELCOME").Payload)
	c.mustParse(err)
	return m
}

// ExpectDeliver expects DELIVER of body, which wants no reply, and returns its number, which Ack
// wants.
func (c *Client) ExpectDeliver(body []byte) (id uint64) {
	c.n.t.Helper()
	return c.expectMessage(0, body, fmt.Sprintf("DELIVER %s", quote(body)))
}

// ExpectRequest expects DELIVER of body, which wants a reply, and returns its number, which Reply
// wants, or Ack or Nack.
func (c *Client) ExpectRequest(body []byte) (id uint64) {
	c.n.t.Helper()
	return c.expectMessage(codec.FlagWantsReply, body, fmt.Sprintf("DELIVER %s, which wants a reply", quote(body)))
}

// ExpectReply expects the reply to a message that the client has sent.
func (c *Client) ExpectReply(id uint64, body []byte) {
	c.n.t.Helper()
	want := fmt.Sprintf("reply %s to %d", quote(body), id)
	f := c.next(codec.Deliver, want)
	to, got, err := codec.ParseReply(f.Payload)
	if f.Flags != codec.FlagReply || err != nil || to != id || !bytes.Equal(got, body) {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
}

func (c *Client) expectMessage(flags codec.Flags, body []byte, want string) (id uint64) {
	c.n.t.Helper()
	f := c.next(codec.Deliver, want)
	id, got, err := codec.ParseMessage(f.Payload)
	c.mustParse(err)
	if !bytes.Equal(got, body) || f.Flags != flags {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
	return id
}

// ExpectNack expects that a message which the client has sent is refused.
func (c *Client) ExpectNack(id uint64, code codec.NackCode) codec.NackMessage {
	c.n.t.Helper()
	want := fmt.Sprintf("NACK %d %v", id, code)
	f := c.next(codec.Nack, want)
	m, err := codec.ParseNack(f.Payload)
	c.mustParse(err)
	if m.Number != id || m.Code != code {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
	return m
}

// ExpectAck expects the ACK of a message that the client has sent: of this one, whichever the
// node has acknowledged with it. It returns the word of server.Session.AckRange, 0 for that of Ack.
func (c *Client) ExpectAck(id uint64) (what uint8) {
	c.n.t.Helper()
	want := fmt.Sprintf("ACK %d", id)
	f := c.next(codec.Ack, want)
	got, err := codec.ParseAck(f.Payload)
	c.mustParse(err)
	if got.Range != (codec.Range{First: id, Last: id}) {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
	return got.What
}

// ExpectPong expects the answer to the last Ping.
func (c *Client) ExpectPong() codec.PongMessage {
	c.n.t.Helper()
	want := fmt.Sprintf("PONG %d", c.pings)
	f := c.next(codec.Pong, want)
	m, err := codec.ParsePong(f.Payload)
	c.mustParse(err)
	if m.Token != c.pings {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
	return m
}

// ExpectExpires expects that the node tells, without having been asked, that the session's grant
// ends in so long; codec.NeverExpires: that it has no end.
func (c *Client) ExpectExpires(left time.Duration) {
	c.n.t.Helper()
	want := fmt.Sprintf("PONG 0 that says that the grant ends in %v", left)
	f := c.next(codec.Pong, want)
	m, err := codec.ParsePong(f.Payload)
	c.mustParse(err)
	if m.Token != 0 || m.Expires != left {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
}

// ExpectUpdate expects that the node tells, without having been asked, what Server.Update has changed of
// the limits or the alternates.
func (c *Client) ExpectUpdate() codec.PongMessage {
	c.n.t.Helper()
	const want = "PONG 0 that tells limits or alternates"
	f := c.next(codec.Pong, want)
	m, err := codec.ParsePong(f.Payload)
	c.mustParse(err)
	if m.Token != 0 || m.Limits == (codec.Limits{}) && len(m.Alternates) == 0 {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
	return m
}

// ExpectGoAway expects GOAWAY with the given code.
func (c *Client) ExpectGoAway(code codec.Code) codec.GoAwayMessage {
	c.n.t.Helper()
	want := fmt.Sprintf("GOAWAY %v", code)
	f := c.next(codec.GoAway, want)
	m, err := codec.ParseGoAway(f.Payload)
	c.mustParse(err)
	if m.Code != code {
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(f), want)
	}
	return m
}

// ExpectNothing expects that the client was told nothing more, and is still there.
func (c *Client) ExpectNothing() {
	c.n.t.Helper()
	c.n.settle()
	if len(c.got) > 0 {
		c.n.t.Fatalf("servertest: %s got %s, want nothing", c.name, words(c.got[0]))
	}
	if c.conn.over {
		c.n.t.Fatalf("servertest: %s has come to its end, want nothing: %s", c.name, c.conn.how)
	}
}

// ExpectEnd expects that the connection has come to its end, and that nothing more was told.
func (c *Client) ExpectEnd() {
	c.n.t.Helper()
	c.n.settle()
	if len(c.got) > 0 {
		c.n.t.Fatalf("servertest: %s got %s, want the end", c.name, words(c.got[0]))
	}
	if !c.conn.over {
		c.n.t.Fatalf("servertest: %s is still there, want the end", c.name)
	}
}

// Received takes all frames that no Expect has taken, heartbeats' answers apart.
func (c *Client) Received() []codec.Frame {
	c.n.settle()
	all := c.got
	c.got = nil
	return all
}

// next takes the next frame, which must be of the given type.
func (c *Client) next(typ codec.Type, want string) codec.Frame {
	c.n.t.Helper()
	c.n.settle()
	switch {
	case len(c.got) > 0 && c.got[0].Type != typ:
		c.n.t.Fatalf("servertest: %s got %s, want %s", c.name, words(c.got[0]), want)
	case len(c.got) > 0:
	case c.conn.over:
		c.n.t.Fatalf("servertest: %s got nothing, want %s: %s", c.name, want, c.conn.how)
	default:
		c.n.t.Fatalf("servertest: %s got nothing yet, want %s", c.name, want)
	}
	f := c.got[0]
	c.got = c.got[1:]
	return f
}

func (c *Client) mustParse(err error) {
	c.n.t.Helper()
	if err != nil {
		c.n.t.Fatalf("servertest: %s was told what it cannot read: %v", c.name, err)
	}
}

// words says what a frame is.
func words(f codec.Frame) string {
	switch f.Type {
	case codec.Deliver:
		return message(f)
	case codec.Ack:
		m, _ := codec.ParseAck(f.Payload)
		if m.What != 0 {
			return fmt.Sprintf("ACK %d with the word %d", m.First, m.What)
		}
		return fmt.Sprintf("ACK %d", m.First)
	case codec.Nack:
		m, _ := codec.ParseNack(f.Payload)
		if len(m.Reason) > 0 {
			return fmt.Sprintf("NACK %d %v (%s)", m.Number, m.Code, m.Reason)
		}
		return fmt.Sprintf("NACK %d %v", m.Number, m.Code)
	case codec.Pong:
		m, _ := codec.ParsePong(f.Payload)
		if m.Expires > 0 {
			return fmt.Sprintf("PONG %d that says that the grant ends in %v", m.Token, m.Expires)
		}
		return fmt.Sprintf("PONG %d", m.Token)
	case codec.GoAway:
		m, _ := codec.ParseGoAway(f.Payload)
		return fmt.Sprintf("GOAWAY %v", m.Code)
	default:
		return f.Type.String()
	}
}

// message says what a DELIVER is.
func message(f codec.Frame) string {
	if f.Flags&codec.FlagReply != 0 {
		to, body, _ := codec.ParseReply(f.Payload)
		return fmt.Sprintf("reply %s to %d", quote(body), to)
	}
	id, body, _ := codec.ParseMessage(f.Payload)
	wants := ""
	if f.Flags&codec.FlagWantsReply != 0 {
		wants = ", which wants a reply"
	}
	return fmt.Sprintf("DELIVER %s (%d)%s", quote(body), id, wants)
}

// quote shows a body, or the beginning of a long one.
func quote(body []byte) string {
	if len(body) > 40 {
		return fmt.Sprintf("%q and %d bytes more", body[:40], len(body)-40)
	}
	return fmt.Sprintf("%q", body)
}
