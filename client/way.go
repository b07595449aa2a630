package client

import (
	"crypto/rand"
	"crypto/tls"
	"net"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// stageOf makes what a connection to an address has between its socket and frames; nil: nothing.
func (c *Client) stageOf(addr string) transport.Stage {
	if c.stage != nil {
		return c.stage()
	}
	var stage transport.Stage
	if c.way.Path != "" {
		cfg := websocket.ClientConfig{Host: addr, Path: c.way.Path}
		_, _ = rand.Read(cfg.Seed[:]) // it never fails
		stage = websocket.NewClient(cfg)
	}
	if !c.way.TLS {
		return stage
	}
	secure := handshake.NewClient(c.tlsFor(addr), func() time.Duration { return time.Since(c.origin) })
	if stage == nil {
		return secure
	}
	return transport.NewStack(secure, stage)
}

// tlsFor is the configuration for an address: its certificate must be of the host that was named.
func (c *Client) tlsFor(addr string) *tls.Config {
	if c.cfg.TLS.ServerName != "" {
		return c.cfg.TLS
	}
	cfg := c.cfg.TLS.Clone()
	cfg.ServerName = addr
	if host, _, err := net.SplitHostPort(addr); err == nil {
		cfg.ServerName = host
	}
	return cfg
}

// keptTickets is for how many nodes a client keeps a ticket.
const keptTickets = 8

// fillTLS is fill's part for TLS, and refuses what no handshake would end well with.
func (c *Config) fillTLS() error {
	if c.TLS == nil {
		c.TLS = new(tls.Config)
	} else {
		c.TLS = c.TLS.Clone()
	}
	if c.TLS.ClientSessionCache == nil && !c.TLS.SessionTicketsDisabled {
		c.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(keptTickets)
	}
	return handshake.Check(c.TLS)
}
