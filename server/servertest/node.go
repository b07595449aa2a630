package servertest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/internal/engine"
)

// Node is a node in memory. Its methods are for the goroutine of the test.
type Node struct {
	// Server is the node itself: for what is asked of a session by its Ref, for Stats, and
	// for Drain and Stop, which block and so want a goroutine of their own.
	Server *server.Server

	t      testing.TB
	loop   *loop
	idle   func() bool // nothing waits for a turn
	web    bool        // it has WebSockets
	path   string      // where
	dialed uint64
}

// New starts a node that ends with the test. It is for tests in a bubble of testing/synctest.
//
// Of cfg, Listen and Loops have no meaning here; of Listeners the first counts, for its Transports. There
// is no TLS, within which a transport is what it is without, and there are no PROXY headers: DialFrom
// says where a client is. MemoryLimit and MaxQueuedTotal are off where
// they are zero: the memory of the machine that runs the test shall change nothing. A cfg that
// server.New refuses fails the test.
func New(t testing.TB, cfg server.Config) *Node {
	t.Helper()
	if !inBubble() {
		t.Fatalf("servertest: New was called outside of synctest.Test, whose clock the node goes by")
	}
	cfg.Loops = 1
	plainly(&cfg)
	cfg.MemoryLimit = cmp.Or(cfg.MemoryLimit, -1)
	cfg.MaxQueuedTotal = cmp.Or(cfg.MaxQueuedTotal, -1)
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	n := &Node{Server: srv, t: t, loop: newLoop(), web: slices.Contains(cfg.Transports, server.TransportWebSocket), path: cfg.WebSocket.Path}
	if n.idle, err = engine.Start(srv, n.loop); err != nil {
		t.Fatalf("servertest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := srv.Stop(ctx); err != nil && !errors.Is(err, server.ErrGoexit) {
			t.Errorf("servertest: the node does not end: %v", err)
		}
	})
	n.settle()
	return n
}

// plainly leaves of a configuration what a node in memory has.
func plainly(cfg *server.Config) {
	if len(cfg.Listeners) > 0 {
		if first := cfg.Listeners[0].Transports; first != nil {
			cfg.Transports = first
		}
	}
	cfg.Listen, cfg.Listeners, cfg.TLS, cfg.ProxyProtocol = "", nil, nil, server.ProxyOff
	cfg.Transports = slices.Clone(cfg.Transports)
	for i, t := range cfg.Transports {
		switch t {
		case server.TransportTLS:
			cfg.Transports[i] = server.TransportTCP
		case server.TransportSecureWebSocket:
			cfg.Transports[i] = server.TransportWebSocket
		}
	}
}

// inBubble says whether the clock is that of a test.
func inBubble() (in bool) {
	defer func() { in = recover() == nil }()
	synctest.Wait()
	return true
}

// Advance lets d pass, and all happen that is due until then and at that moment.
func (n *Node) Advance(d time.Duration) {
	n.t.Helper()
	if d < 0 {
		n.t.Fatalf("servertest: Advance by %v: time does not go back", d)
	}
	n.loop.do(func() {}) // so that what the test has done comes before what the loop will do
	time.Sleep(d)
	n.settle()
}

// settle has the loop do all there is to do at this moment. What its turn has left for another may
// be 2 ms away, which would be too late for a test.
func (n *Node) settle() {
	for synctest.Wait(); !n.idle() && n.loop.rests(); synctest.Wait() {
		n.loop.tick()
	}
}

// Settle lets happen what is due at this moment, after a call of Server's.
func (n *Node) Settle() { n.Advance(0) }

// Stats are Server.Stats as of this moment; those are as of the last turn of the loop.
func (n *Node) Stats() server.Stats {
	n.loop.tick()
	n.settle()
	return n.Server.Stats()
}

// home is an address of those for examples (RFC 5737), as that of httptest's requests.
var home = netip.MustParseAddr("192.0.2.1")

// Dial opens a connection from 192.0.2.1 that has said nothing yet.
func (n *Node) Dial() *Client {
	n.t.Helper()
	return n.DialFrom(home)
}

// DialFrom opens a connection from addr that has said nothing yet.
func (n *Node) DialFrom(addr netip.Addr) *Client {
	n.t.Helper()
	return n.dial(addr, false)
}

// DialWebSocket opens a WebSocket from 192.0.2.1; Config.Transports must have those. The client is as
// any, and what it writes is in binary messages.
func (n *Node) DialWebSocket() *Client {
	n.t.Helper()
	if !n.web {
		n.t.Fatalf("servertest: DialWebSocket of a node whose Transports have no WebSocket")
	}
	return n.dial(home, true)
}

func (n *Node) dial(addr netip.Addr, web bool) *Client {
	n.t.Helper()
	n.dialed++
	c := &Client{n: n, number: n.dialed, name: "the client"}
	c.conn = &conn{loop: n.loop, from: addr, client: c}
	if !n.loop.open(c.conn) {
		n.t.Fatalf("servertest: Dial of a node that has ended")
	}
	if web {
		c.lines = transport.NewLines(websocket.NewClient(websocket.ClientConfig{Host: "node", Path: n.path}))
		c.web = true
		n.loop.do(func() { c.conn.arrive(bytes.Clone(c.lines.Begin(0))) })
	}
	n.settle()
	return c
}

// Join opens a connection, says HELLO and fails the test unless the client is welcomed at
// once. Whoever has a token, or waits for an authenticator, uses Dial, Hello and ExpectWelcome.
func (n *Node) Join(id string) *Client {
	n.t.Helper()
	c := n.Dial()
	c.Hello(codec.HelloMessage{ClientID: []byte(id)})
	c.ExpectWelcome()
	return c
}
