package flood

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
	"github.com/stormwheel/stormwheel/codec"
)

// Bare is one loop of gnet that answers HELLO and PING and, when it is told to, writes to its
// connections for most of a millisecond at a time: no session, no mailbox, no poster beside it.
type Bare struct {
	bare.Engine
	Addr string

	turns   *Turns
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
	b := &Bare{welcome: welcome, turns: new(Turns)}
	if b.Addr, err = b.Run(b, "127.0.0.1:0", 1, gnet.WithSocketSendBuffer(64<<10)); err != nil {
		return nil, err
	}
	return b, nil
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
		ended := b.turns.begin()
		do(b.conns)
		ended()
		close(done)
		return nil
	}))
	if err == nil {
		<-done
	}
	return err
}

// End stops it, and tells of what it did with its connections as of turns.
func (b *Bare) End(figures map[string]float64) {
	b.turns.Tell(figures)
	b.Stop()
}
