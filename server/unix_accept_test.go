package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/internal/siege"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// Another user than those that may connect is closed, and told of in the log.
func TestAUserThatMayNotConnect(t *testing.T) {
	var log lines
	s := startNode(t, Config{Loops: 1, Listeners: []Listener{{Addr: unixAddr(t), Users: []uint32{uint32(os.Geteuid()) + 1}}},
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 * unixInFlight { // it keeps no place
		p := (&siege.Target{Addr: s.Addr()}).Peer("stranger")
		if err := p.Join(t.Context()); err == nil {
			t.Fatal("a stranger is let in")
		}
		p.Close()
	}
	if n := s.exact(); n.Accepted != 0 {
		t.Errorf("%d connections came to a loop", n.Accepted)
	}
	if text := log.String(); strings.Count(text, "may not connect") != 1 || !strings.Contains(text, fmt.Sprint("uid=", os.Geteuid())) {
		t.Errorf("the log says %s", text)
	}
}

// gnet must have a TCP listener; where all are unix sockets nobody comes in by it.
func TestANodeOfUnixSocketsAloneHasNoOtherWayIn(t *testing.T) {
	s := startNode(t, Config{Loops: 2, Listen: unixAddr(t)})
	joinNode(t, s, "inside")
	p := (&siege.Target{Addr: s.nowhere.addr}).Peer("outside")
	defer p.Close()
	if err := p.Join(t.Context()); err == nil {
		t.Error("somebody came in by TCP")
	}
	if n := s.exact(); n.Accepted != 1 {
		t.Errorf("%d were accepted", n.Accepted)
	}
}

// A balancer at a unix socket is believed if the listener says so, and no other is.
func TestABalancerAtAUnixSocket(t *testing.T) {
	header := func() transport.Stage { return proxy.NewSender(testHeader, nil) }
	forward := func() transport.Stage { return forwarded{websocket.NewClient(websocket.ClientConfig{Host: "x"})} }
	addrs := make(chan netip.Addr, 1)
	for _, c := range []struct {
		what   string
		l      Listener
		client func() transport.Stage
		want   netip.Addr
		in     bool
	}{
		{"a header", Listener{TrustPeers: true, ProxyProtocol: ProxyRequired}, header, headerAddr, true},
		{"no header", Listener{TrustPeers: true, ProxyProtocol: ProxyRequired}, nil, netip.Addr{}, false},
		{"a header where there is none", Listener{TrustPeers: true}, header, netip.Addr{}, false},
		{"X-Forwarded-For", Listener{TrustPeers: true, Transports: []Transport{TransportWebSocket}}, forward, headerAddr, true},
		{"X-Forwarded-For of a stranger", Listener{Transports: []Transport{TransportWebSocket}}, forward, netip.Addr{}, true},
		{"a stranger with a network of proxies", Listener{Transports: []Transport{TransportWebSocket}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}, forward, netip.Addr{}, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			c.l.Addr = unixAddr(t)
			s := startNode(t, Config{Loops: 1, Listeners: []Listener{c.l}, Handler: Handler{Opened: func(s *Session) { addrs <- s.Addr() }}})
			p := (&siege.Target{Addr: s.Addr(), Stage: c.client}).Peer("x")
			defer p.Close()
			if err := p.Join(t.Context()); (err == nil) != c.in {
				t.Fatal(err)
			}
			if c.in {
				if from := <-addrs; from != c.want {
					t.Errorf("it comes from %v, want %v", from, c.want)
				}
			}
		})
	}
}

// Whoever comes while the node stops is told so, and no loop is left with a connection on its way.
func TestAStopWhileManyComeByAUnixSocket(t *testing.T) {
	s := startNode(t, Config{Loops: 2, Listen: unixAddr(t)})
	path := strings.TrimPrefix(s.Addr(), "unix:")
	done := make(chan struct{})
	for range 4 {
		go func() {
			for {
				select {
				case <-done:
					return
				default:
					if c, err := net.Dial("unix", path); err == nil {
						_, _ = c.Write(helloFrame("x"))
						c.Close()
					}
				}
			}
		}()
	}
	eventually(t, "they come", func() bool { return s.exact().Accepted > 100 })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	close(done)
}

// A balancer's check over a unix socket.
func TestHealthOverAUnixSocket(t *testing.T) {
	s := startNode(t, Config{Loops: 1, Listen: unixAddr(t), Transports: []Transport{TransportWebSocket}})
	path := strings.TrimPrefix(s.Addr(), "unix:")
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
	r, err := client.Get("http://node/healthz")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("healthz answers %d", r.StatusCode)
	}
}

// A socket at which nobody comes keeps no place from those at which somebody does.
func TestMoreUnixSocketsThanPlaces(t *testing.T) {
	dir := unixFolder(t)
	var all []Listener
	for i := range 2*unixInFlight + 1 {
		all = append(all, Listener{Addr: fmt.Sprintf("unix:%s/%d", dir, i)})
	}
	s := startNode(t, Config{Loops: 1, Listeners: all})
	for i, addr := range s.Addrs() {
		p := (&siege.Target{Addr: addr}).Peer(fmt.Sprint("one-", i))
		if err := p.Join(t.Context()); err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
		p.Close()
	}
}

// Who comes by TCP costs nothing when it is asked who is at the other end.
func TestAPeerThatIsNoneAllocatesNothing(t *testing.T) {
	l := &loop{peers: map[reactor.Slot]Peer{1: {PID: 7}}}
	if p := l.peer(1); p == nil || p.PID != 7 {
		t.Errorf("the peer is %v", p)
	}
	var kept AuthRequest
	r := &kept
	if n := testing.AllocsPerRun(100, func() { r.Peer = l.peer(2) }); n != 0 || r.Peer != nil {
		t.Errorf("%v allocations", n)
	}
}

// What a client at a unix socket has not read is with it as soon as the kernel has it, as it is with a
// client by TCP whose kernel has it: who is late at reading what is said now and then is no stalled reader.
func TestWhatAUnixSocketHoldsIsWithItsPeer(t *testing.T) {
	unsent := make(chan int, 2)
	var s *Server
	s = startNode(t, Config{Loops: 1, Listen: unixAddr(t), Handler: Handler{Message: func(c *Session, _ Message) {
		l := s.loopOf(c.app.r.Session(reactor.SlotOf(c.handle)))
		unsent <- l.Unsent(reactor.SlotOf(c.handle))
		_ = c.Deliver(make([]byte, 100))
	}}})
	w, _ := joinNode(t, s, "late")
	for range 2 {
		w.send(codec.AppendSend(nil, 1, nil))
		if n := <-unsent; n != 0 {
			t.Errorf("%d bytes are not with the client", n)
		}
	}
}
