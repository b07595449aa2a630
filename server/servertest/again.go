package servertest

import "github.com/stormwheel/stormwheel/codec"

// Again opens the next connection of the client's process and brings it to WELCOME, as Join does: the
// same id and incarnation, and the next attempt. Send goes on with the client's numbers; what was not settled
// a client sends again first, which is for the test to do by SendAgain. It shows no return pass, so what
// becomes of the connection before is the test's matter, too.
func (c *Client) Again() *Client {
	c.n.t.Helper()
	next := c.n.DialFrom(c.conn.from)
	next.sends = c.sends
	next.Hello(codec.HelloMessage{ClientID: []byte(c.name), Incarnation: c.incarnation, Attempt: c.attempt + 1})
	next.ExpectWelcome()
	return next
}

// SendAgain sends a message that was sent before, under its number.
func (c *Client) SendAgain(number uint64, body []byte) {
	c.n.t.Helper()
	c.Write(codec.AppendSend(nil, number, body))
}
