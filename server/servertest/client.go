package servertest

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/server"
)

// Client is the far end of a connection. It says what the test has it say, and keeps what it
// is told until the test expects it. By itself it does only what any client does: it sends a
// PING once an interval, unless Silence was called, and leaves when a GOAWAY tells it to (one
// that drains the node apart, after which its session goes on). DELIVERs are acknowledged by
// the test.
//
// What it is told is expected in the order in which it came, and nothing may be left out: an Expect
// whose frame is not the next one fails the test and says what was. The node writes ACKs behind what
// else a callback has it write. Received takes what is of no interest.
//
// Its methods are for the goroutine of the test. To send after its end fails the test.
type Client struct {
	n      *Node
	conn   *conn
	number uint64 // of the connection, from 1 on
	name   string
	hello  codec.HelloMessage // as it was said
	sends  uint64
	pings  uint64
	web    bool // it came by WebSocket

	// The loop's, and the test's when the loop has come to rest.
	got     []codec.Frame    // frames that the test has not expected yet
	part    []byte           // of a frame
	lines   *transport.Lines // of its WebSocket; nil: what it is told is plain
	welcome codec.WelcomeMessage
	terms   codec.Terms
	limits  codec.Limits
	expires time.Time // of the grant; zero: it has no end
	moving  bool      // a drain has told it to move
	silent  bool
	beat    *time.Timer
}

// beating marks the tokens of heartbeats that nobody waits for.
const beating = 1 << 63

// Ref names the session, as WELCOME told it and as the handler knows it.
func (c *Client) Ref() server.Ref { return c.n.Server.Ref(c.welcome.Session) }

// Terms are those that the node has told last, by WELCOME or PONG.
func (c *Client) Terms() codec.Terms { return c.terms }

// Limits are those that the node has told last, by WELCOME or PONG. The client keeps to none by itself.
func (c *Client) Limits() codec.Limits { return c.limits }

// Expires is when the session's grant ends, as the node has told last, by WELCOME or PONG; zero: it
// has no end.
func (c *Client) Expires() time.Time { return c.expires }

// Ended says whether the connection has come to its end, whoever ended it.
func (c *Client) Ended() bool {
	c.n.settle()
	return c.conn.over
}

// Hello says HELLO. Where m has no versions they are those of the protocol, and where it has no
// incarnation it is one of a process of its own.
func (c *Client) Hello(m codec.HelloMessage) {
	c.n.t.Helper()
	if len(m.ClientID) > 0 {
		c.name = string(m.ClientID)
	}
	if m.MaxVersion == 0 {
		m.MinVersion, m.MaxVersion = codec.ProtocolVersion, codec.ProtocolVersion
	}
	if m.Incarnation == 0 {
		m.Incarnation, m.Attempt = c.number, 1
	}
	b, err := codec.AppendHello(nil, &m)
	if err != nil {
		c.n.t.Fatalf("servertest: %s says HELLO: %v", c.name, err)
	}
	c.hello = m
	c.Write(b)
}

// Return opens another connection as the same process, which is back from a loss or moves: it says the
// HELLO of its next attempt, with the return pass that it was given. This connection stays as it is.
// The test expects the WELCOME.
func (c *Client) Return() *Client {
	c.n.t.Helper()
	next := c.n.dial(c.conn.from, c.web)
	next.sends = c.sends // one process counts over all its connections
	m := c.hello
	m.Attempt++
	m.ReturnPass, m.Ticket = c.welcome.ReturnPass, nil
	next.Hello(m)
	return next
}

// Send sends a message and returns its number: 1, 2 and so on. It is that of ExpectAck.
func (c *Client) Send(body []byte) (id uint64) {
	c.n.t.Helper()
	c.sends++
	c.Write(codec.AppendSend(nil, c.sends, body))
	return c.sends
}

// SendAgain sends a message under a number that it was given before, as the next connection of a client's
// process does with what is not settled.
func (c *Client) SendAgain(number uint64, body []byte) {
	c.n.t.Helper()
	c.Write(codec.AppendSend(nil, number, body))
}

// Request sends a message that wants a reply and returns its number, which is the next after that
// of the last Send or Request. It is that of ExpectReply.
func (c *Client) Request(body []byte) (id uint64) {
	c.n.t.Helper()
	c.sends++
	c.Write(codec.AppendRequest(nil, codec.Send, c.sends, body))
	return c.sends
}

// Reply replies to a DELIVER that wants it: what ExpectRequest has returned.
func (c *Client) Reply(id uint64, body []byte) {
	c.n.t.Helper()
	c.Write(codec.AppendReply(nil, codec.Send, id, body))
}

// Ack acknowledges a DELIVER.
func (c *Client) Ack(id uint64) {
	c.n.t.Helper()
	c.AckWith(id, 0)
}

// AckWith acknowledges a DELIVER with a word between the applications, which is server.Outcome.What.
func (c *Client) AckWith(id uint64, what uint8) {
	c.n.t.Helper()
	m := codec.AckOf(id)
	m.What = what
	c.Write(codec.AppendAck(nil, m))
}

// Nack refuses a DELIVER.
func (c *Client) Nack(id uint64, code codec.NackCode) {
	c.n.t.Helper()
	c.NackWith(id, code, "")
}

// NackWith refuses a DELIVER with a text for people, which is server.Outcome.Reason. One that NACK cannot
// carry fails the test.
func (c *Client) NackWith(id uint64, code codec.NackCode, reason string) {
	c.n.t.Helper()
	b, err := codec.AppendNack(nil, &codec.NackMessage{Number: id, Code: code, Reason: []byte(reason)})
	c.mustParse(err)
	c.Write(b)
}

// Ping sends a PING, whose PONG the test may expect. Those that the client sends by itself have
// theirs taken by it.
func (c *Client) Ping() {
	c.n.t.Helper()
	c.pings++
	c.Write(codec.AppendPing(nil, c.pings, c.terms.Number))
}

// Renew sends a new token for the session, in a PING, whose PONG the test may expect, as that which
// tells what became of it.
func (c *Client) Renew(token []byte) {
	c.n.t.Helper()
	c.pings++
	b, err := codec.AppendRenewal(nil, c.pings, c.terms.Number, token)
	if err != nil {
		c.n.t.Fatalf("servertest: %s renews its token: %v", c.name, err)
	}
	c.Write(b)
}

// Bye says BYE, as a client does that leaves for good, or whose move is done.
func (c *Client) Bye() {
	c.n.t.Helper()
	c.Write(codec.AppendBye(nil))
}

// Write sends bytes as they are, by WebSocket in a message: half a frame, or none at all. A client that is not to put a
// heartbeat behind half a frame is silenced first.
func (c *Client) Write(b []byte) {
	c.n.t.Helper()
	c.mustBeOpen("sends")
	b = append([]byte(nil), b...)
	c.do(func() { c.say(b) })
}

// say has bytes come to the node. It runs on the loop.
func (c *Client) say(b []byte) {
	if c.lines != nil {
		b = bytes.Clone(c.lines.Seal(0, b))
	}
	c.conn.arrive(b)
}

// Close ends the connection without a word, in the ordinary way.
func (c *Client) Close() { c.do(func() { c.conn.hangUp(io.EOF, "it closed the connection") }) }

// Reset ends the connection as the network does when a client's process has died.
func (c *Client) Reset() {
	c.do(func() { c.conn.hangUp(syscall.ECONNRESET, "it reset the connection") })
}

// Silence has the client send nothing by itself any more, as one whose network is gone: it
// lives as long as the node's timeout allows.
func (c *Client) Silence() {
	c.do(func() {
		c.silent = true
		c.stopBeating()
	})
}

// StopReading has the client take nothing from now on: all that the node writes waits there.
func (c *Client) StopReading() {
	c.n.t.Helper()
	c.mustBeOpen("stops reading")
	c.do(func() { c.conn.deaf = true })
}

// ReadOn has it take what waits, and what comes.
func (c *Client) ReadOn() {
	c.n.t.Helper()
	c.mustBeOpen("reads on")
	c.do(c.conn.read)
}

func (c *Client) mustBeOpen(to string) {
	c.n.t.Helper()
	if c.Ended() {
		c.n.t.Fatalf("servertest: %s %s after its end: %s", c.name, to, c.conn.how)
	}
}

// do has the loop do it, and all that follows.
func (c *Client) do(job func()) {
	c.n.loop.do(job)
	c.n.settle()
}

// open takes what is in a WebSocket's messages.
func (c *Client) open(b []byte) (plain []byte) {
	in, err := c.lines.Receive(0, b)
	plain = bytes.Clone(in.Plain)
	words := bytes.Clone(in.Words)
	if err != nil {
		words = append(words, c.lines.Close(0, 0)...)
	}
	if len(words) > 0 { // an answer of the WebSocket's own; the node is at its write
		c.n.loop.do(func() { c.conn.arrive(words) })
	}
	switch over := c.lines.Keep(0, nil); {
	case errors.Is(err, transport.ErrEnd):
		c.conn.how = cmp.Or(c.conn.how, "the node closed the WebSocket")
		c.n.loop.do(func() { c.conn.hangUp(io.EOF, "") })
	case err != nil:
		c.n.t.Errorf("servertest: %s has no WebSocket: %v", c.name, err)
		c.n.loop.do(func() { c.conn.hangUp(io.EOF, "it has no WebSocket") })
	case over:
		c.lines = nil
	}
	return plain
}

// receive takes what the node has written. It runs on the loop.
func (c *Client) receive(b []byte) {
	if c.lines != nil {
		b = c.open(b)
	}
	c.part = append(c.part, b...)
	for {
		f, size, err := codec.Decode(c.part, maxFrame)
		if err != nil {
			if err != codec.ErrIncomplete {
				c.n.t.Errorf("servertest: %s was told what is no frame: %v", c.name, err)
			}
			return
		}
		f.Payload = append([]byte(nil), f.Payload...)
		c.part = c.part[size:]
		if c.take(f) {
			c.got = append(c.got, singly(f)...)
		}
	}
}

// singly makes one ACK of each number of an ACK: which of them the node joins is its own affair.
func singly(f codec.Frame) (all []codec.Frame) {
	m, err := codec.ParseAck(f.Payload)
	if f.Type != codec.Ack || err != nil || m.Last-m.First > 1<<16 {
		return []codec.Frame{f}
	}
	for n := m.First; ; n++ {
		one := codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: n, Last: n}, What: m.What})
		all = append(all, codec.Frame{Type: codec.Ack, Payload: one[codec.HeaderLen : len(one)-codec.TrailerLen]})
		if n == m.Last {
			return all
		}
	}
}

// maxFrame is the most that server.Config.MaxFrame may be.
const maxFrame = 16 << 20

// take does what any client does with a frame. It reports whether the test is to see it.
func (c *Client) take(f codec.Frame) bool {
	switch f.Type {
	case codec.Welcome:
		if m, err := codec.ParseWelcome(f.Payload); err == nil {
			c.welcome, c.terms, c.limits = m, m.Terms, m.Limits
			c.grant(m.Expires)
			c.beatLater()
		}
	case codec.Pong:
		if m, err := codec.ParsePong(f.Payload); err == nil {
			c.terms = m.Terms
			if m.Limits != (codec.Limits{}) {
				c.limits = m.Limits
			}
			c.grant(m.Expires)
			return m.Token&beating == 0
		}
	case codec.GoAway:
		m, err := codec.ParseGoAway(f.Payload)
		if c.moving = err == nil && m.Code == codec.CodeDraining && c.terms.Number != 0; !c.moving {
			c.conn.how = "the node sent it away with " + m.Code.String()
			c.n.loop.do(func() { c.conn.hangUp(io.EOF, "") })
		}
	}
	return true
}

// grant notes when the node says that the session ends.
func (c *Client) grant(left time.Duration) {
	switch {
	case left == codec.NeverExpires:
		c.expires = time.Time{}
	case left > 0:
		c.expires = time.Now().Add(left)
	}
}

// beatLater has the client send a heartbeat an interval from now.
func (c *Client) beatLater() {
	if !c.silent && !c.conn.over {
		c.beat = time.AfterFunc(c.terms.Interval, func() { c.n.loop.do(c.heartbeat) })
	}
}

func (c *Client) heartbeat() {
	if !c.silent && !c.conn.over {
		c.beatLater()
		c.say(codec.AppendPing(nil, beating, c.terms.Number))
	}
}

func (c *Client) stopBeating() {
	if c.beat != nil {
		c.beat.Stop()
	}
}
