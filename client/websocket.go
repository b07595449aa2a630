package client

import (
	"crypto/rand"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// stageOf makes what a connection to an address has between its socket and frames; nil: nothing.
func (c *Client) stageOf(addr string) transport.Stage {
	switch {
	case c.stage != nil:
		return c.stage()
	case c.wsPath == "":
		return nil
	}
	cfg := websocket.ClientConfig{Host: addr, Path: c.wsPath}
	_, _ = rand.Read(cfg.Seed[:]) // it never fails
	return websocket.NewClient(cfg)
}
