package interop

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
)

// slowProxy takes a megabyte each way at once, as proxies do, and passes it on slowly.
func slowProxy(t *testing.T, to string, bytesPerSecond int) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	keep := func(nc net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		open = append(open, nc)
	}
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			keep(near)
			keep(far)
			running.Go(func() { trickle(far, near, bytesPerSecond) })
			running.Go(func() { trickle(near, far, bytesPerSecond) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, nc := range open {
			nc.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().String()
}

// trickle passes on one way: a megabyte is in its hands, and a little of it goes out at a time.
func trickle(to, from net.Conn, bytesPerSecond int) {
	const piece = 4096
	held := make(chan []byte, 1<<20/piece)
	go func() {
		defer close(held)
		for {
			b := make([]byte, piece)
			n, err := from.Read(b)
			if n > 0 {
				held <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	for b := range held {
		if _, err := to.Write(b); err != nil {
			break
		}
		time.Sleep(time.Duration(len(b)) * time.Second / time.Duration(bytesPerSecond))
	}
	to.Close()
	for range held {
	}
}

// A slow link behind a proxy that buffers a megabyte each way: answers stand behind seconds of messages
// that both kernels have long taken. Nobody is given up, and every message arrives once.
func TestASlowLinkBehindABufferingProxyLosesNobody(t *testing.T) {
	for _, scheme := range []string{"", "ws://"} {
		t.Run("over "+scheme, func(t *testing.T) {
			t.Parallel()
			const messages, size = 48, 32 << 10
			cfg := webSockets()
			cfg.Heartbeat, cfg.Timeout, cfg.Tick = time.Second, 2500*time.Millisecond, 50*time.Millisecond
			cfg.UnsettledBytes, cfg.MaxQueued = 4<<20, 8<<20
			s, _ := startNode(t, cfg)
			addr := slowProxy(t, s.Addr(), 256<<10)
			var echoed, failed atomic.Int64
			c, err := client.New(client.Config{Endpoints: []string{scheme + addr}, ID: "far", PongTimeout: 2 * time.Second, MaxQueued: 4 << 20,
				Deliver: func(client.Message) { echoed.Add(1) },
				Settled: func(_ uint64, o client.Outcome) {
					if o.Err != nil {
						failed.Add(1)
					}
				}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ran := make(chan error, 1)
			go func() { ran <- c.Run(ctx) }()
			for range messages {
				if _, err := c.Send(ctx, make([]byte, size)); err != nil {
					t.Fatal(err)
				}
			}
			for echoed.Load() < messages && ctx.Err() == nil {
				time.Sleep(20 * time.Millisecond)
			}
			i, st := c.Info(), s.Stats()
			if i.Losses != 0 || failed.Load() != 0 || echoed.Load() != messages || st.Evictions() != 0 {
				t.Errorf("%d losses (%v), %d failed, %d of %d came back, %d evictions; the node closed %v",
					i.Losses, i.LastError, failed.Load(), echoed.Load(), messages, st.Evictions(), st.Closes)
			}
			_ = c.Close()
			if err := <-ran; err != nil {
				t.Error(err)
			}
		})
	}
}
