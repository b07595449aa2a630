package server

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// fakeConn is a connection that has one read's bytes and takes everything.
type fakeConn struct {
	gnet.Conn
	in      []byte
	context any
	written int
}

func (c *fakeConn) Peek(int) ([]byte, error)    { return c.in, nil }
func (c *fakeConn) Discard(n int) (int, error)  { return n, nil }
func (c *fakeConn) InboundBuffered() int        { return len(c.in) }
func (c *fakeConn) OutboundBuffered() int       { return 0 }
func (c *fakeConn) Write(b []byte) (int, error) { c.written += len(b); return len(b), nil }
func (c *fakeConn) Fd() int                     { return -1 }
func (c *fakeConn) Context() any                { return c.context }
func (c *fakeConn) SetContext(v any)            { c.context = v }
func (c *fakeConn) LocalAddr() net.Addr         { return nil }
func (c *fakeConn) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// fakeLoop takes every task and runs none.
type fakeLoop struct{ gnet.EventLoop }

func (fakeLoop) Execute(context.Context, gnet.Runnable) error { return nil }

// plainLoop is a loop without sockets and its one session.
func plainLoop(t testing.TB, transports ...Transport) (*events, *fakeConn) {
	t.Helper()
	return loopOver(t, Config{Transports: transports}, unsealed, helloFrame("alice"))
}

// webSocketLoop is one whose session is by WebSocket.
func webSocketLoop(t testing.TB) (*events, *fakeConn) {
	t.Helper()
	e, c, _ := webSocketLoopOf(t, Config{}, helloFrame("alice"))
	return e, c
}

// webSocketLoopOf is one of a configuration, with what its client seals by.
func webSocketLoopOf(t testing.TB, cfg Config, hello []byte) (e *events, c *fakeConn, seal func([]byte) []byte) {
	t.Helper()
	client := transport.NewLines(wsClient())
	request := bytes.Clone(client.Begin(0))
	cfg.Transports = []Transport{TransportTCP, TransportWebSocket}
	seal = func(b []byte) []byte {
		if len(request) > 0 { // what follows is masked, whether the answer has been seen or not
			_, _ = client.Receive(0, answerTo(request))
			b = append(request, client.Seal(0, b)...)
			request = nil
			return b
		}
		return append([]byte(nil), client.Seal(0, b)...)
	}
	e, c = loopOver(t, cfg, seal, hello)
	return e, c, seal
}

// answerTo is a server's to a request.
func answerTo(request []byte) []byte {
	server := transport.NewLines(websocket.NewServer(websocket.ServerConfig{}))
	in, _ := server.Receive(0, request)
	return in.Words
}

func unsealed(b []byte) []byte { return b }

// loopOver is a loop without sockets and its one session, whose client seals what it says, and says
// that HELLO.
func loopOver(t testing.TB, cfg Config, seal func([]byte) []byte, hello []byte) (*events, *fakeConn) {
	t.Helper()
	cfg.MaxFrameRate, cfg.MaxByteRate = -1, -1
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.entry = s.entryConfig()
	s.node.Conns = gate.NewConns(1000, 10, 1, loopDescriptors, 0)
	l, err := newLoop(s, fakeLoop{}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.again.Stop(); l.reactor.Release() })
	s.loops.Store(&[]*loop{l})
	c := new(fakeConn)
	l.accept(c, nil)
	e := &events{srv: s}
	c.in = seal(hello)
	e.OnTraffic(c)
	c.in = seal(codec.AppendPing(nil, 1, 0))
	if c.written == 0 || l.reactor.Counters().Sessions != 1 {
		t.Fatal("no session")
	}
	return e, c
}

// What a node's event of one PING costs, from gnet's callback to the bytes of the PONG: at a node
// that is plain, of a plain session beside WebSockets, and of a WebSocket.
func BenchmarkTrafficPing(b *testing.B) {
	for name, loop := range pinging {
		b.Run(name, func(b *testing.B) {
			e, c := loop(b)
			b.ReportAllocs()
			for b.Loop() {
				e.OnTraffic(c)
			}
		})
	}
}

var pinging = map[string]func(t testing.TB) (*events, *fakeConn){
	"plain":  func(t testing.TB) (*events, *fakeConn) { return plainLoop(t) },
	"beside": func(t testing.TB) (*events, *fakeConn) { return plainLoop(t, TransportTCP, TransportWebSocket) },
	"ws":     webSocketLoop,
}

func TestAPingAllocatesNothing(t *testing.T) {
	for name, loop := range pinging {
		e, c := loop(t)
		before := c.written
		if n := testing.AllocsPerRun(100, func() { e.OnTraffic(c) }); n != 0 || c.written == before {
			t.Errorf("%s: %v allocations for a PING, %d bytes written", name, n, c.written-before)
		}
	}
}

// What an acknowledged SEND costs, from gnet's callback to the bytes of the ACK: one a read, and
// sixteen, of a client that numbers them as clients do.
func BenchmarkTrafficSend(b *testing.B) {
	for _, each := range []int{1, 16} {
		b.Run(fmt.Sprint("each=", each), func(b *testing.B) {
			e, c := senderLoop(b)
			b.ReportAllocs()
			for number := uint64(1); b.Loop(); number += uint64(each) {
				c.in = sends(c.in[:0], number, each)
				e.OnTraffic(c)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*each), "ns/SEND")
		})
	}
}

func sends(dst []byte, number uint64, n int) []byte {
	for i := range uint64(n) {
		dst = codec.AppendSend(dst, number+i, nil)
	}
	return dst
}

// senderLoop is plainLoop with a client that has an incarnation, and a handler that acknowledges.
func senderLoop(t testing.TB) (*events, *fakeConn) {
	return loopOver(t, Config{Handler: Handler{Message: func(s *Session, m Message) { _ = s.Ack(m.Number) }}}, unsealed, senderFrame("alice", 1))
}

func TestAnAcknowledgedSendAllocatesNothing(t *testing.T) {
	e, c := senderLoop(t)
	number := uint64(1)
	send := func() {
		c.in = sends(c.in[:0], number, 1)
		number++
		e.OnTraffic(c)
	}
	send()
	if n := testing.AllocsPerRun(1000, send); n != 0 {
		t.Errorf("%v allocations for a SEND", n)
	}
}
