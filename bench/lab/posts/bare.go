package posts

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
)

// bare is one loop of gnet that answers HELLO and PING and, when it is told to, writes the same
// frame to its connections for most of a millisecond at a time, as fast as it can: no session, no
// mailbox, no poster beside it.
type bare struct {
	gnet.BuiltinEventEngine
	engine  gnet.Engine
	ready   chan struct{}
	addr    string
	welcome []byte
	frame   []byte

	conns []gnet.Conn // the loop's
	next  int         // the loop's
	count atomic.Int64
}

// stint is how long it writes before it serves its sockets.
const stint = 900 * time.Microsecond

func startBare() (*bare, error) {
	welcome, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion,
		Terms: codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second}, ServerTime: time.Now(), Node: []byte("bare")})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bare{ready: make(chan struct{}), addr: l.Addr().String(), welcome: welcome, frame: codec.AppendDeliver(nil, 0, make([]byte, bodySize))}
	l.Close()
	failed := make(chan error, 1)
	go func() {
		failed <- gnet.Run(b, "tcp4://"+b.addr, gnet.WithNumEventLoop(1), gnet.WithReusePort(true), gnet.WithReuseAddr(true),
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
func (b *bare) OnBoot(e gnet.Engine) gnet.Action {
	b.engine = e
	return gnet.None
}

// OnTick comes first when the loop listens.
func (b *bare) OnTick() (time.Duration, gnet.Action) {
	select {
	case <-b.ready:
	default:
		close(b.ready)
	}
	return time.Hour, gnet.None
}

// OnTraffic answers.
func (b *bare) OnTraffic(c gnet.Conn) gnet.Action {
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
		if m, err := codec.ParseHello(f.Payload); err == nil && !bytes.HasPrefix(m.ClientID, []byte(probePrefix)) {
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

func (b *bare) joined() int { return int(b.count.Load()) }

func (b *bare) end(map[string]float64) {
	time.Sleep(calm)
	_ = b.engine.Stop(context.Background())
}

// flood writes for a while, and says how often.
func (b *bare) flood(w workload, d time.Duration) (writes uint64, took time.Duration, err error) {
	rand.Shuffle(len(b.conns), func(i, j int) { b.conns[i], b.conns[j] = b.conns[j], b.conns[i] })
	el := b.conns[0].EventLoop()
	done := make(chan struct{})
	task := gnet.RunnableFunc(func(context.Context) error {
		for began := time.Now(); time.Since(began) < stint; {
			for range 4 {
				c := b.conns[b.next%len(b.conns)]
				if !w.apart {
					c = b.conns[rand.IntN(len(b.conns))]
				}
				b.next++
				_, _ = c.Write(b.frame)
				writes++
			}
		}
		done <- struct{}{}
		return nil
	})
	began := time.Now()
	for time.Since(began) < d {
		if err := el.Execute(context.Background(), task); err != nil {
			return 0, 0, err
		}
		<-done
	}
	return writes, time.Since(began), nil
}

// quiet is a logger for gnet: it logs to standard output, where the figures go.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
