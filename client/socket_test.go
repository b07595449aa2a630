package client

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/internal/link"
)

// realNode is a node on a real socket.
type realNode struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func listen(t *testing.T, serve func(*peer)) *realNode {
	t.Helper()
	addrs, err := freeport.Loopback(1) // so that nobody is there when it is killed
	if err != nil {
		t.Fatal(err)
	}
	return listenAt(t, addrs[0], serve)
}

func listenAt(t *testing.T, addr string, serve func(*peer)) *realNode {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	n := &realNode{Listener: ln}
	n.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			n.mu.Lock()
			n.conns = append(n.conns, conn)
			n.mu.Unlock()
			n.wg.Go(func() { defer conn.Close(); serve(&peer{Conn: conn, addr: ln.Addr().String()}) })
		}
	})
	t.Cleanup(n.kill)
	return n
}

// kill resets every connection and stops to listen, as a kernel does for a killed process.
func (n *realNode) kill() {
	n.Close()
	n.mu.Lock()
	for _, conn := range n.conns {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	n.mu.Unlock()
	n.wg.Wait()
}

// eventually polls until ok, for a time that no machine should need, however busy.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// noLeaks fails the test if goroutines remain.
func noLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "the goroutines of before", func() bool { return runtime.NumGoroutine() <= before })
	})
}

// quick is a node whose clients come back within 50 ms.
func quick(p *peer) {
	quick := codec.Terms{Interval: 200 * time.Millisecond, Timeout: time.Second, Window: 50 * time.Millisecond}
	if _, err := p.welcome(codec.WelcomeMessage{Terms: quick, Node: []byte(p.addr)}); err == nil {
		p.serve()
	}
}

func TestKilledNodeIsLeftForTheOther(t *testing.T) {
	noLeaks(t)
	a, b := listen(t, quick), listen(t, quick)
	acked := make(chan uint64, 10)
	c, ran := run(t, Config{Endpoints: []string{a.Addr().String(), b.Addr().String()}, BackoffMax: time.Second,
		Settled: func(id uint64, o Outcome) { acked <- id }})
	defer end(t, c, ran)
	eventually(t, "ready", func() bool { return c.Info().State == Ready })
	first, second := a, b
	if c.Info().Node == b.Addr().String() {
		first, second = b, a
	}
	first.kill()
	eventually(t, "ready on the other node", func() bool {
		i := c.Info()
		return i.State == Ready && i.Node == second.Addr().String()
	})
	id, err := c.Send(t.Context(), []byte("still here"))
	if err != nil {
		t.Fatal(err)
	}
	if got := <-acked; got != id {
		t.Errorf("Settled(%d), want %d", got, id)
	}
	if i := c.Info(); i.Losses != 1 || i.LastError == nil {
		t.Errorf("Info = %+v, want one loss and its error", i)
	}
}

func TestHeartbeatsOnARealSocket(t *testing.T) {
	noLeaks(t)
	a := listen(t, quick)
	c, ran := run(t, Config{Endpoints: []string{a.Addr().String()}, Interval: 100 * time.Millisecond})
	defer end(t, c, ran)
	eventually(t, "five PONGs", func() bool { return c.Info().Pongs >= 5 })
	if i := c.Info(); i.RTT <= 0 || i.Losses != 0 || i.Dials != 1 {
		t.Errorf("Info = %+v", i)
	}
}

// A peer that is stopped: the kernel takes bytes until its buffers are full, then Write
// blocks. The liveness check must not.
func TestStoppedPeerIsNoticedWhenEvenTheKernelIsFull(t *testing.T) {
	noLeaks(t)
	stop := make(chan struct{})
	defer close(stop)
	a := listen(t, func(p *peer) {
		p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: 500 * time.Millisecond, Timeout: 10 * time.Second}})
		<-stop
	})
	c, ran := run(t, Config{Endpoints: []string{a.Addr().String()}, PongTimeout: 2 * time.Second,
		WriteTimeout: time.Hour, BackoffMin: time.Minute, MaxQueued: 16 << 20, Dial: (&net.Dialer{Control: narrow}).DialContext})
	defer end(t, c, ran)
	eventually(t, "ready", func() bool { return c.Info().State == Ready })
	full := false
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for c.Info().Losses == 0 && ctx.Err() == nil {
		sendCtx, done := context.WithTimeout(ctx, 10*time.Millisecond)
		c.Send(sendCtx, make([]byte, 60<<10))
		done()
		full = full || c.Info().Queued > 2<<20 // more than its writer has in hand
	}
	if err := c.Info().LastError; !errors.Is(err, link.ErrTimeout) || !strings.Contains(err.Error(), "PONG") {
		t.Errorf("LastError = %v, want the pong timeout", err)
	}
	if !full {
		t.Error("the kernel never was full: the test did not test")
	}
}

// The server refuses and closes while the client's HELLO is unread: a reset is on its
// way, and the GOAWAY before it.
func TestRefusalIsReadBeforeTheReset(t *testing.T) {
	noLeaks(t)
	a := listen(t, func(p *peer) {
		p.goAway(codec.GoAwayMessage{Code: codec.CodeUnauthorized})
		p.Conn.(*net.TCPConn).CloseWrite()
		for { // the farewell: discard, then close
			if _, err := p.next(); err != nil {
				return
			}
		}
	})
	c, ran := run(t, Config{Endpoints: []string{a.Addr().String()}})
	defer end(t, c, ran)
	var ce *CodeError
	eventually(t, "unauthorized", func() bool {
		return errors.As(c.Info().LastError, &ce) && ce.Code == codec.CodeUnauthorized
	})
}

func TestRefusedConnectGoesElsewhere(t *testing.T) {
	noLeaks(t)
	dead := listen(t, quick)
	dead.kill()
	a := listen(t, quick)
	c, ran := run(t, Config{Endpoints: []string{dead.Addr().String(), a.Addr().String()}, BackoffMin: time.Millisecond})
	defer end(t, c, ran)
	eventually(t, "ready", func() bool { return c.Info().State == Ready })
	if i := c.Info(); i.Node != a.Addr().String() || i.Dials > 2 {
		t.Errorf("Info = %+v, want the live node at the second attempt", i)
	}
}

func TestNameIsResolved(t *testing.T) {
	noLeaks(t)
	a := listen(t, quick)
	_, port, _ := net.SplitHostPort(a.Addr().String())
	c, ran := run(t, Config{Endpoints: []string{"localhost:" + port}, BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond})
	defer end(t, c, ran)
	eventually(t, "ready", func() bool { return c.Info().State == Ready }) // ::1 may come first
}

// A resolver that does not answer is no fault of the node's.
func TestSlowNameDoesNotBlameTheNode(t *testing.T) {
	was := net.DefaultResolver
	defer func() { net.DefaultResolver = was }()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	c, ran := run(t, Config{Endpoints: []string{"node.example:7000"}, ConnectTimeout: time.Second})
	defer end(t, c, ran)
	eventually(t, "the resolver's error", func() bool {
		var dns *net.DNSError
		return errors.As(c.Info().LastError, &dns)
	})
}
