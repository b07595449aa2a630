package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/netstage"
)

var terms = codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: time.Minute}

// peer is the server's end of one connection, driven by a test.
type peer struct {
	net.Conn
	addr   string
	buf    []byte
	closed chan struct{} // by the client

	timeout time.Duration // without a byte of the client, which ends it; 0: none
}

// next reads one frame; its payload is a copy. A closed connection is an error.
func (p *peer) next() (codec.Frame, error) {
	for {
		f, size, err := codec.Decode(p.buf, 100<<10)
		if err == nil {
			f.Payload = bytes.Clone(f.Payload)
			p.buf = p.buf[size:]
			return f, nil
		}
		if !errors.Is(err, codec.ErrIncomplete) {
			return f, err
		}
		chunk := make([]byte, 64<<10)
		if p.timeout > 0 {
			p.SetReadDeadline(time.Now().Add(p.timeout))
		}
		n, err := p.Read(chunk)
		p.buf = append(p.buf, chunk[:n]...)
		if n == 0 && err != nil {
			return f, err
		}
	}
}

// welcome reads HELLO and accepts it.
func (p *peer) welcome(m codec.WelcomeMessage) (codec.HelloMessage, error) {
	hello, err := p.hello()
	if err != nil {
		return hello, err
	}
	m.Version = codec.ProtocolVersion
	b, err := codec.AppendWelcome(nil, &m)
	if err == nil {
		_, err = p.Write(b)
	}
	return hello, err
}

func (p *peer) hello() (codec.HelloMessage, error) {
	f, err := p.next()
	if err != nil {
		return codec.HelloMessage{}, err
	}
	if f.Type != codec.Hello {
		return codec.HelloMessage{}, fmt.Errorf("first frame is %s, want HELLO", f.Type)
	}
	return codec.ParseHello(f.Payload)
}

func (p *peer) goAway(m codec.GoAwayMessage) {
	b, err := codec.AppendGoAway(nil, &m)
	if err != nil {
		panic(err)
	}
	p.Write(b)
}

// serve answers PINGs and acknowledges messages until the connection ends, and returns
// the types of what it read.
func (p *peer) serve() (types []codec.Type) {
	for {
		f, err := p.next()
		if err != nil {
			return types
		}
		types = append(types, f.Type)
		switch f.Type {
		case codec.Ping:
			token, _, _ := codec.ParsePing(f.Payload)
			_, err = p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
		case codec.Send:
			id, _, _ := codec.ParseMessage(f.Payload)
			_, err = p.Write(codec.AppendAck(nil, codec.AckOf(id)))
		case codec.Bye:
			return types
		}
		if err != nil {
			return types
		}
	}
}

// node accepts a session and serves it.
func node(p *peer) {
	if _, err := p.welcome(codec.WelcomeMessage{Terms: terms, Node: []byte(p.addr)}); err == nil {
		p.serve()
	}
}

// edge is a set of nodes behind net.Pipe: address -> what a node does with a connection.
// An address without a node refuses.
type edge struct {
	mu    sync.Mutex
	nodes map[string]func(*peer)
	dials []string
}

func (e *edge) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dials = append(e.dials, addr)
	serve := e.nodes[addr]
	if serve == nil {
		return nil, errors.New("refused")
	}
	near, far := net.Pipe()
	if through.Server != nil {
		far = netstage.New(far, through.Server())
	}
	end := &nearEnd{Conn: near, closed: make(chan struct{})}
	go func() { defer far.Close(); serve(&peer{Conn: far, addr: addr, closed: end.closed}) }()
	return end, nil
}

func (e *edge) set(addr string, serve func(*peer)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.nodes[addr] = serve
}

func (e *edge) dialled() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.dials)
}

// run starts a client and returns it and what Run will return.
func run(t *testing.T, cfg Config) (*Client, <-chan error) {
	t.Helper()
	if cfg.ID == "" {
		cfg.ID = "alice"
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.stage = through.Client
	ran := make(chan error, 1)
	go func() { ran <- c.Run(t.Context()) }()
	return c, ran
}

// end closes a client and waits for Run.
func end(t *testing.T, c *Client, ran <-chan error) {
	t.Helper()
	c.Close()
	if err := <-ran; err != nil {
		t.Errorf("Run = %v, want nil after Close", err)
	}
}

// readUntilClosed is a node that takes everything and says nothing.
func readUntilClosed(p *peer) { io.Copy(io.Discard, p) }

// mute is a node that neither reads nor answers.
func mute(p *peer) { <-p.closed }

// nearEnd tells when the client closes its end, without anyone reading from the other.
type nearEnd struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (n *nearEnd) Close() error {
	n.once.Do(func() { close(n.closed) })
	return n.Conn.Close()
}
