package flood

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
)

// Bare is one loop of gnet that answers HELLO and PING and, when it is told to, writes to its
// connections for most of a millisecond at a time: no session, no mailbox, no poster beside it.
type Bare struct {
	gnet.BuiltinEventEngine
	Addr string

	engine  gnet.Engine
	ready   chan struct{}
	welcome []byte
	conns   []gnet.Conn // the loop's; those of probes are not among them
	count   atomic.Int64
}

// Stint is how long it writes before it serves its sockets.
const Stint = 900 * time.Microsecond

// StartBare starts one at a free port.
func StartBare() (*Bare, error) {
	welcome, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion,
		Terms: codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second}, ServerTime: time.Now(), Node: []byte("bare")})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &Bare{ready: make(chan struct{}), Addr: l.Addr().String(), welcome: welcome}
	l.Close()
	failed := make(chan error, 1)
	go func() {
		failed <- gnet.Run(b, "tcp4://"+b.Addr, gnet.WithNumEventLoop(1), gnet.WithReusePort(true), gnet.WithReuseAddr(true),
			gnet.WithTicker(true), gnet.WithSocketSendBuffer(64<<10), gnet.WithLogger(quiet{}))
	}()
	select {
	case <-b.ready:
		return b, nil
	case err := <-failed:
		return nil, err
	}
}

// OnBoot keeps the engine.
func (b *Bare) OnBoot(e gnet.Engine) gnet.Action {
	b.engine = e
	return gnet.None
}

// OnTick comes first when the loop listens.
func (b *Bare) OnTick() (time.Duration, gnet.Action) {
	select {
	case <-b.ready:
	default:
		close(b.ready)
	}
	return time.Hour, gnet.None
}

// OnTraffic answers.
func (b *Bare) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	f, size, err := codec.Decode(in, codec.MaxPayload)
	if err == codec.ErrIncomplete {
		return gnet.None
	}
	if err != nil {
		return gnet.Close
	}
	switch f.Type {
	case codec.Hello:
		if m, err := codec.ParseHello(f.Payload); err == nil && !bytes.HasPrefix(m.ClientID, []byte(ProbePrefix)) {
			b.conns = append(b.conns, c)
			b.count.Add(1)
		}
		_, _ = c.Write(b.welcome)
	case codec.Ping:
		if token, _, err := codec.ParsePing(f.Payload); err == nil {
			_, _ = c.Write(codec.AppendPong(nil, codec.PongMessage{Token: token}))
		}
	}
	_, _ = c.Discard(size)
	return gnet.None
}

// Joined is how many clients have come.
func (b *Bare) Joined() int { return int(b.count.Load()) }

// OnLoop has the loop do something with its connections, once they are known to be all, and waits for it.
func (b *Bare) OnLoop(do func([]gnet.Conn)) error {
	done := make(chan struct{})
	err := b.conns[0].EventLoop().Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		do(b.conns)
		close(done)
		return nil
	}))
	if err == nil {
		<-done
	}
	return err
}

// Stop ends it.
func (b *Bare) Stop() { _ = b.engine.Stop(context.Background()) }

// quiet is a logger for gnet: it logs to standard output, where the figures go.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
