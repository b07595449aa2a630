package client

import "github.com/stormwheel/stormwheel/internal/link"

// Loss is the end of a session that Close has not ended.
type Loss struct {
	Err     error  // why: a *CodeError if the server said so
	Node    string // that had the session
	Session string // its id there; no credential

	// Unsettled is what was sent and has no answer yet, in order, of Send, SendAcked and Request.
	// Each may have arrived. All of it goes again over the next connection, and what becomes of it
	// is told where it always is: this is for who wants to know what hangs in the air. Under
	// Config.AtMostOnce it is empty.
	//
	// A Body is a copy, yours; nil where callbacks are so far behind that the bodies which wait for
	// them have more than 256 times Config.MaxPayload bytes.
	Unsettled []Sent
}

// noticeLost tells OnLost of the end of a session. It needs mu.
func (c *Client) noticeLost(e *link.Event) {
	if c.cfg.OnLost == nil {
		return
	}
	info := c.link.Info()
	loss := &Loss{Err: e.Err, Node: info.Node, Session: info.Session.String()}
	c.link.EachUnsettled(func(number uint64, body []byte) {
		if c.bodies+len(body) > c.maxBodies() {
			body = nil
		}
		c.bodies += len(body)
		loss.Unsettled = append(loss.Unsettled, Sent{info.Incarnation, number, append([]byte(nil), body...)})
	})
	c.push(notice{loss: loss})
}

// tellLost calls OnLost.
func (c *Client) tellLost(loss *Loss) {
	for i := range loss.Unsettled {
		c.took(loss.Unsettled[i].Body)
	}
	c.call("OnLost", func() { c.cfg.OnLost(*loss) }, nil)
}
