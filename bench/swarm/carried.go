package swarm

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// carried makes the stage of a loop that the configuration asks for; nil: connections are plain.
func (c *Config) carried() (func() transport.Stage, error) {
	var header func(dst []byte) []byte
	switch c.ProxyProtocol {
	case "":
	case "v1":
		header = c.proxyHeader(proxy.AppendV1)
	case "v2":
		header = c.proxyHeader(proxy.AppendV2)
	default:
		return nil, fmt.Errorf("swarm: ProxyProtocol must be v1 or v2, not %q", c.ProxyProtocol)
	}
	if c.WebSocket == "" && c.TLS == nil && header == nil {
		return nil, nil
	}
	var secure *tls.Config
	if c.TLS != nil {
		if err := c.TLS.Check(); err != nil {
			return nil, fmt.Errorf("swarm: TLS: %w", err)
		}
		secure = c.TLS.Config()
	}
	began := time.Now()
	return func() transport.Stage {
		var stage transport.Stage
		if c.WebSocket != "" {
			ws := websocket.ClientConfig{Path: c.WebSocket, Host: "localhost"}
			if len(c.Endpoints) > 0 {
				ws.Host = c.Endpoints[0].String()
			}
			_, _ = rand.Read(ws.Seed[:]) // it never fails
			stage = websocket.NewClient(ws)
		}
		if secure != nil {
			outer := handshake.NewClient(secure, func() time.Duration { return time.Since(began) })
			if stage == nil {
				stage = outer
			} else {
				stage = transport.NewStack(outer, stage)
			}
		}
		if header != nil {
			stage = proxy.NewSender(header, stage)
		}
		return stage
	}, nil
}

// Check says why this process cannot use it.
func (t *TLS) Check() error { return handshake.Check(t.Config()) }

// Config is what all clients have.
func (t *TLS) Config() *tls.Config {
	c := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.Insecure}
	if t.CA != nil {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM(t.CA)
	}
	if t.Resume {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return c
}

// proxyHeader says that each connection comes from another address of 198.18.0.0/15, which is kept
// for such tests (RFC 2544), as long as these last.
func (c *Config) proxyHeader(form func(dst []byte, from, to netip.AddrPort) []byte) func([]byte) []byte {
	var count atomic.Uint32
	first := uint32(c.First)
	to := netip.MustParseAddrPort("198.51.100.1:7000")
	return func(dst []byte) []byte {
		n := first + count.Add(1)*uint32(max(c.Of, 1))
		var addr [4]byte
		binary.BigEndian.PutUint32(addr[:], 198<<24|18<<16|n%(1<<17))
		return form(dst, netip.AddrPortFrom(netip.AddrFrom4(addr), uint16(1024+n>>17)), to)
	}
}
