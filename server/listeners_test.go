package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

func TestListenersThatMakeNoSense(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for want, cfg := range map[string]Config{
		"Listen and Listeners":               {Listen: "127.0.0.1:1", Listeners: []Listener{{Addr: "127.0.0.1:0"}}},
		"is none of":                         {Transports: []Transport{"quic"}},
		"has no Transports":                  {Listeners: []Listener{{Addr: "127.0.0.1:0", Transports: []Transport{}}}},
		"needs TrustedProxies":               {ProxyProtocol: ProxyRequired},
		"off, optional or required":          {ProxyProtocol: "always", TrustedProxies: loopback},
		"WebSocket.Path":                     {WebSocket: WebSocket{Path: "ws"}},
		"is no origin":                       {WebSocket: WebSocket{Origins: []string{"example.com"}}},
		"/healthz is taken":                  {WebSocket: WebSocket{Path: "/healthz"}},
		"must begin with / and have neither": {WebSocket: WebSocket{Path: "/a b"}},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", cfg, err, want)
		}
	}
}

// Each listener has its own transports and its own trust, on every loop.
func TestListenersDiffer(t *testing.T) {
	addrs, carriers := make(chan netip.Addr, 1), make(chan Transport, 1)
	s := startNode(t, Config{
		Loops: 3,
		Listeners: []Listener{
			{Addr: "127.0.0.1:0"},
			{Addr: "127.0.0.1:0", Transports: []Transport{TransportTCP, TransportWebSocket}},
			{Addr: "127.0.0.1:0", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, ProxyProtocol: ProxyRequired},
			{Addr: "[::1]:0", Transports: []Transport{TransportWebSocket}},
			{Addr: ":0", Transports: []Transport{TransportWebSocket}},
		},
		Handler: Handler{Opened: func(s *Session) { addrs <- s.Addr(); carriers <- s.Transport() }},
	})
	if n := len(s.Addrs()); n != 5 || s.Addrs()[0] != s.Addr() {
		t.Fatalf("the addresses are %q", s.Addrs())
	}
	here, here6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	header := func() transport.Stage { return proxy.NewSender(testHeader, nil) }
	for round := range 8 { // SO_REUSEPORT deals them out to the loops
		for _, c := range []struct {
			listener int
			stage    func() transport.Stage
			from     netip.Addr
			is       Transport // "": refused
		}{
			{0, nil, here, TransportTCP}, {0, wsClient, here, ""}, {0, header, here, ""},
			{1, nil, here, TransportTCP}, {1, wsClient, here, TransportWebSocket}, {1, header, here, ""},
			{2, nil, here, ""}, {2, wsClient, here, ""}, {2, header, headerAddr, TransportTCP},
			{3, nil, here6, ""}, {3, wsClient, here6, TransportWebSocket}, {3, header, here6, ""},
			{4, nil, here6, ""}, {4, wsClient, here6, TransportWebSocket},
		} {
			addr := strings.Replace(s.Addrs()[c.listener], "[::]", "[::1]", 1)
			target := &siege.Target{Addr: addr, Stage: c.stage}
			p := target.Peer(fmt.Sprint("round", round))
			err := p.Join(t.Context())
			switch {
			case (err == nil) != (c.is != ""):
				t.Errorf("listener %d, %v: %v", c.listener, c.is, err)
			case err == nil:
				if from, is := <-addrs, <-carriers; from != c.from || is != c.is {
					t.Errorf("listener %d: a session from %v by %v, want %v by %v", c.listener, from, is, c.from, c.is)
				}
			}
			p.Close()
		}
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// A balancer's checks are answered, and neither refused nor logged.
func TestHealthChecksAreNoRefusals(t *testing.T) {
	var log lines
	s := startNode(t, Config{Transports: []Transport{TransportTCP, TransportWebSocket}, Loops: 1, Alternates: elsewhere, DrainGrace: 2 * time.Second,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, ProxyProtocol: ProxyOptional, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	before := log.String()
	url := "http://" + s.Addr()
	if status, _ := get(t, url+"/healthz"); status != 200 {
		t.Errorf("healthz answers %d", status)
	}
	if status, body := get(t, url); status != 200 || !strings.Contains(body, "Stormwheel") {
		t.Errorf("/ answers %d, %q", status, body)
	}
	for i, says := range []string{"", string(proxy.AppendLocal(nil))} {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, says); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is taken in", func() bool { return s.exact().Accepted == uint64(3+i) })
		c.Close()
	}
	eventually(t, "they have gone", func() bool { n := s.exact(); return n.Accepted == 4 && n.Conns == 0 })
	n := s.exact()
	if n.Refused != 0 || n.GoAways != 0 || n.Closes[ReasonProbe] != 2 || n.Closes[ReasonPeerClosed] != 2 || log.String() != before {
		t.Errorf("%d refused, %d GOAWAYs, closed %v, the log: %s", n.Refused, n.GoAways, n.Closes, log.String())
	}
	ended := make(chan error, 1)
	w, _ := joinNode(t, s, "stays")
	go func() { ended <- s.Drain(context.Background()) }()
	eventually(t, "the drain begins", s.node.Drain.On)
	if status, _ := get(t, url+"/healthz"); status != 503 {
		t.Errorf("healthz answers %d while the node drains", status)
	}
	w.send(codec.AppendBye(nil))
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A PROXY header has 3 s, whatever HELLO has.
func TestAProxyHeaderHasItsTime(t *testing.T) {
	over.Store(t, transports["proxy"])
	defer over.Delete(t)
	s := startNode(t, Config{Loops: 1, HelloTimeout: time.Hour})
	began := time.Now()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(testHeader(nil)[:20]); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(c)
	if took := time.Since(began); took < headerTimeout {
		t.Errorf("half a header had %v, want %v", took, headerTimeout)
	}
}

// The address that a balancer tells is the one that is limited.
func TestLimitsOfAnAddressCountTheToldOne(t *testing.T) {
	over.Store(t, transports["proxy, websocket"])
	defer over.Delete(t)
	s := startNode(t, Config{Loops: 1, AddrConns: 1})
	joinNode(t, s, "first")
	w := dialNode(t, s)
	w.send(helloFrame("second"))
	w.wantGoAway(codec.CodeBusy)
	other := dial(t, &siege.Target{Addr: s.Addr(), Stage: func() transport.Stage {
		return proxy.NewSender(func(dst []byte) []byte {
			return proxy.AppendV1(dst, netip.MustParseAddrPort("192.0.2.99:1"), netip.MustParseAddrPort("198.51.100.7:7000"))
		}, wsClient())
	}})
	other.send(helloFrame("third"))
	other.want(codec.Welcome)
}

// X-Forwarded-For is believed of a trusted proxy that says no header.
func TestAForwardedWebSocketHasItsAddress(t *testing.T) {
	addrs := make(chan netip.Addr, 1)
	s := startNode(t, Config{Transports: []Transport{TransportWebSocket}, Loops: 1,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Handler: Handler{Opened: func(s *Session) { addrs <- s.Addr() }}})
	w := dial(t, &siege.Target{Addr: s.Addr(), Stage: func() transport.Stage { return forwarded{websocket.NewClient(websocket.ClientConfig{Host: "x"})} }})
	w.send(helloFrame("far"))
	w.want(codec.Welcome)
	if from := <-addrs; from != headerAddr {
		t.Errorf("it comes from %v, want %v", from, headerAddr)
	}
}

// forwarded adds the field to the request.
type forwarded struct{ *websocket.Client }

func (f forwarded) Begin(s transport.Slot, dst []byte) []byte {
	b := string(f.Client.Begin(s, nil))
	return append(dst, strings.Replace(b, "\r\n\r\n", "\r\nX-Forwarded-For: 6.6.6.6, "+headerAddr.String()+"\r\n\r\n", 1)...)
}

// Thousands of halves of an upgrade cost what they may, and end in time.
func TestHalfUpgradesEndInTime(t *testing.T) {
	s := startNode(t, Config{Transports: []Transport{TransportTCP, TransportWebSocket}, HelloTimeout: time.Second, Tick: 20 * time.Millisecond})
	const n = 3000
	var conns []net.Conn
	for range n {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: webso"); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		b, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 408 ") && !strings.HasPrefix(string(b), "HTTP/1.1 503 ") {
			t.Fatalf("half an upgrade is ended by %q, %v", b, err)
		}
		c.Close()
	}
	eventually(t, "nothing is kept", func() bool {
		c := s.exact()
		return c.Conns == 0 && c.Partial == 0 && c.Closes[ReasonHelloTimeout]+c.Closes[ReasonPending] == n // there are places for some only
	})
}

// What a client sends beside its frames is limited as these are.
func TestAFloodOfPingsIsLimited(t *testing.T) {
	over.Store(t, transports["websocket"])
	defer over.Delete(t)
	s := startNode(t, Config{Loops: 1, MaxFrameRate: 50})
	w, _ := joinNode(t, s, "loud")
	flood := strings.Repeat("\x89\x80abcd", 100)
	for range 10 {
		if _, err := io.WriteString(w.Socket, flood); err != nil {
			break
		}
	}
	w.wantGoAway(codec.CodeRateLimit)
}

// A ping of the transport's is answered, and is no life.
func TestAWebSocketPingIsNoLife(t *testing.T) {
	over.Store(t, transports["websocket"])
	defer over.Delete(t)
	s := startNode(t, Config{Loops: 1, Heartbeat: 100 * time.Millisecond, Timeout: 400 * time.Millisecond, Tick: 20 * time.Millisecond})
	w, _ := joinNode(t, s, "dead")
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				_, _ = io.WriteString(w.Socket, "\x89\x80abcd")
			}
		}
	}()
	w.wantGoAway(codec.CodeHeartbeatTimeout)
}

// An origin that no browser sends would keep all pages out, and nobody would know why.
func TestOriginsThatNoBrowserSends(t *testing.T) {
	for origin, ok := range map[string]bool{
		"https://ok.example": true, "http://localhost:8080": true, "https://[::1]:8443": true, "capacitor://localhost": true,
		"*": true, "null": true,
		"https://ok.example/": false, "https://a/b": false, "https://*.example": false, "https://": false, "://a": false,
		"https://a?b": false, "https://a#b": false, "https://u@a": false, "https://a,https://b": false, "": false,
	} {
		_, err := New(Config{Transports: []Transport{TransportWebSocket}, WebSocket: WebSocket{Origins: []string{origin}}})
		if (err == nil) != ok {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
