package server

import (
	"context"
	"net"
	"testing"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
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
func (c *fakeConn) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// fakeLoop takes every task and runs none.
type fakeLoop struct{ gnet.EventLoop }

func (fakeLoop) Execute(context.Context, gnet.Runnable) error { return nil }

// plainLoop is a loop without sockets and its one session.
func plainLoop(t testing.TB) (*events, *fakeConn) {
	t.Helper()
	s, err := New(Config{MaxFrameRate: -1, MaxByteRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	s.node.Conns = gate.NewConns(1000, 10, 1, loopDescriptors, 0)
	l, err := newLoop(s, fakeLoop{}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.again.Stop(); l.reactor.Release() })
	s.loops.Store(&[]*loop{l})
	c := new(fakeConn)
	l.accept(c)
	e := &events{srv: s}
	c.in = helloFrame("alice")
	e.OnTraffic(c)
	c.in = codec.AppendPing(nil, 1, 0)
	if c.written == 0 || l.reactor.Counters().Sessions != 1 {
		t.Fatal("no session")
	}
	return e, c
}

// What a node's event of one PING costs, from gnet's callback to the bytes of the PONG.
func BenchmarkTrafficPing(b *testing.B) {
	e, c := plainLoop(b)
	b.ReportAllocs()
	for b.Loop() {
		e.OnTraffic(c)
	}
}

func TestAPlainPingAllocatesNothing(t *testing.T) {
	e, c := plainLoop(t)
	if n := testing.AllocsPerRun(100, func() { e.OnTraffic(c) }); n != 0 {
		t.Errorf("%v allocations for a PING", n)
	}
}
