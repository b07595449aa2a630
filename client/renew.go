package client

import (
	"context"
	"errors"

	"github.com/stormwheel/stormwheel/internal/link"
)

// renew asks the application for a new token, since the grant of the session of that attempt will
// end, and sends it. What comes of it the server tells; without another end the link asks again. A
// call that has not returned is waited for first: a source that hangs at this has room to be asked
// for a connection. It needs mu.
func (c *Client) renew(attempt uint32) {
	k := c.find(attempt)
	if k == nil || c.cfg.TokenSource == nil {
		return
	}
	select {
	case c.renewals <- struct{}{}:
	default:
		return
	}
	c.running.Go(func() {
		ctx, cancel := context.WithTimeout(k.ctx, k.timeout*9/10)
		defer cancel()
		token, err := ask(ctx, c, c.renewals, "TokenSource", func() ([]byte, error) { return c.cfg.TokenSource(ctx) }, func([]byte) {})
		c.mu.Lock()
		defer c.mu.Unlock()
		if err == nil && len(token) == 0 {
			err = errNoToken
		}
		if err == nil {
			err = c.link.Renew(c.now(), attempt, token, &c.out)
			c.act()
		}
		if err != nil && c.wanted(k) && len(c.notices) < maxNotices {
			c.push(notice{event: link.Event{Kind: link.Expiring, Err: err}})
		}
	})
}

// errNoToken is what a renewal fails of whose source has none.
var errNoToken = errors.New("TokenSource returned no token")
