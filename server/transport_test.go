package server

import (
	"context"
	"crypto/tls"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// stages are the two sides of a transport; nil for plain TCP. Config is for one that a node has by
// its configuration.
type stages struct {
	Client, Server func() transport.Stage
	Config         func(*Config)
	Unix           bool   // by a unix socket
	Name           string // for a node in another process
}

var transports = map[string]stages{
	"length": {
		Client: func() transport.Stage { return transporttest.NewLength(true, false) },
		Server: func() transport.Stage { return transporttest.NewLength(false, false) },
	},
	"length, away": {
		Client: func() transport.Stage { return transporttest.NewLength(true, true) },
		Server: func() transport.Stage { return transporttest.NewLength(false, true) },
	},
	"header": {
		Client: func() transport.Stage { return &transporttest.Header{From: headerAddr} },
		Server: func() transport.Stage { return new(transporttest.Header) },
	},
	"unix":             {Unix: true},
	"websocket":        {Client: wsClient, Config: withWebSocket},
	"tls":              {Client: tlsClient, Config: withTLS},
	"wss":              {Client: func() transport.Stage { return transport.NewStack(tlsClient(), wsClient()) }, Config: withTLS},
	"proxy, tls":       {Client: func() transport.Stage { return proxy.NewSender(testHeader, tlsClient()) }, Config: func(c *Config) { withProxy(c); withTLS(c) }},
	"tls, proxy":       {Client: func() transport.Stage { return transport.NewStack(tlsClient(), proxy.NewSender(testHeader, nil)) }, Config: func(c *Config) { withProxy(c); withTLS(c) }},
	"proxy":            {Client: func() transport.Stage { return proxy.NewSender(testHeader, nil) }, Config: withProxy},
	"proxy, websocket": {Client: func() transport.Stage { return proxy.NewSender(testHeader, wsClient()) }, Config: func(c *Config) { withProxy(c); withWebSocket(c) }},
}

func wsClient() transport.Stage {
	return websocket.NewClient(websocket.ClientConfig{Host: "example.com"})
}

var testCertificate = sync.OnceValue(func() tls.Certificate {
	c, err := selfsigned.New(24*time.Hour, "localhost", "127.0.0.1")
	if err != nil {
		panic(err)
	}
	return c
})

func withTLS(c *Config) {
	c.TLS = &tls.Config{Certificates: []tls.Certificate{testCertificate()}}
	c.Transports = []Transport{TransportTLS, TransportSecureWebSocket}
}

func tlsClient() transport.Stage { return handshake.NewClient(clientTLS(), nil) }

func clientTLS() *tls.Config {
	return &tls.Config{RootCAs: selfsigned.Pool(testCertificate()), ServerName: "localhost"}
}

// anyTLS is a client of nodes in other processes, which have certificates of their own.
func anyTLS() transport.Stage {
	return handshake.NewClient(&tls.Config{InsecureSkipVerify: true}, nil)
}

func withWebSocket(c *Config) { c.Transports = []Transport{TransportTCP, TransportWebSocket} }

func withProxy(c *Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	c.ProxyProtocol = ProxyRequired
}

func testHeader(dst []byte) []byte {
	return proxy.AppendV2(dst, netip.AddrPortFrom(headerAddr, 4711), netip.MustParseAddrPort("198.51.100.7:7000"))
}

var headerAddr = netip.MustParseAddr("192.0.2.7")

// over says which tests run over what; startNode and dialNode ask.
var over sync.Map

func transportOf(t *testing.T) stages {
	if tr, ok := over.Load(t); ok {
		return tr.(stages)
	}
	return stages{}
}

// The tests that run over every transport, beside plain TCP under their own names: what a node
// does must not depend on what its bytes come through.
var overEveryTransport = map[string]func(*testing.T){
	"send, bye":                  TestSendAndBye,
	"deliver, ack, close":        TestSessionsFromOtherGoroutines,
	"posts before the close":     TestDeliverAndAckComeBeforeTheClose,
	"malformed":                  TestFarewellReachesAClientThatIsStillWriting,
	"eviction":                   TestSilentClientIsResetAndToldWhy,
	"trickle":                    TestTrickleIsUnderstoodUntilItStops,
	"refusal":                    TestMaxConnsRefusesTheExcessAndRecovers,
	"window":                     TestWindowFollowsConnectionsAndRate,
	"a turn's debt":              TestUnfinishedWorkDoesNotWaitForTheNextTick,
	"drain":                      TestDrainHandsOverAndEnds,
	"stop":                       TestStopSaysGoodbyeAndWaitReturnsNil,
	"stop at once":               TestStopAtOnceTellsEveryClient,
	"slow consumer":              TestASlowConsumerIsToldBehindItsQueue,
	"slow consumers":             TestSlowConsumersAreClosedAndDelayNobody,
	"half frames and the budget": TestHalfFramesOfSessionsAreInsideTheBudget,
	"fragments":                  TestAFrameInFragmentsIsChargedOnce,
}

// server makes the server's side, and shows it; nil if the node does that itself.
func (tr stages) server(made func(transport.Stage)) func() transport.Stage {
	if tr.Server == nil {
		return nil
	}
	return func() transport.Stage {
		stage := tr.Server()
		made(stage)
		return stage
	}
}

func TestOverEveryTransport(t *testing.T) {
	for name, tr := range transports {
		if name == "proxy, websocket" {
			continue // its parts are here
		}
		for what, body := range overEveryTransport {
			t.Run(name+"/"+what, func(t *testing.T) {
				var made []*transporttest.Length
				var mu sync.Mutex // loops make theirs at their first connection
				over.Store(t, stages{Client: tr.Client, Config: tr.Config, Unix: tr.Unix, Server: tr.server(func(stage transport.Stage) {
					if length, ok := stage.(*transporttest.Length); ok {
						mu.Lock()
						made = append(made, length)
						mu.Unlock()
					}
				})})
				t.Cleanup(func() { // when the node has stopped
					over.Delete(t)
					for _, stage := range made {
						if n := stage.Connections(); n != 0 {
							t.Errorf("the stage has %d connections left", n)
						}
					}
				})
				body(t)
			})
		}
	}
}

// What a stage says of its own is not needed any more when it knows the peer, and a plain session
// is left.
func TestAStageThatIsOverLeavesAPlainSessionWithItsAddress(t *testing.T) {
	over.Store(t, transports["header"])
	defer over.Delete(t)
	addr := make(chan netip.Addr, 1)
	staged := make(chan bool, 1)
	var s *Server
	starting := make(chan struct{})
	seen := func(own *Session, _ Message) { // on the loop, whose sessions are
		<-starting
		staged <- (*s.loops.Load())[0].reactor.Session(reactor.SlotOf(own.Ref().handle)).Staged()
	}
	s = startNode(t, Config{Loops: 1, Handler: Handler{Message: seen}, Auth: authFunc(func(_ context.Context, r AuthRequest) (AuthGrant, error) {
		addr <- r.Addr
		return AuthGrant{}, nil
	})})
	close(starting)
	w, _ := joinNode(t, s, "alice")
	if got := <-addr; got != headerAddr {
		t.Errorf("the client comes from %v, want %v", got, headerAddr)
	}
	w.send(codec.AppendPing(nil, 1, 0))
	w.want(codec.Pong)
	w.send(codec.AppendSend(nil, 1, nil))
	if <-staged {
		t.Error("the session still has its stage")
	}
}

// A message, its ACK and a BYE.
func TestSendAndBye(t *testing.T) {
	got := make(chan string, 1)
	closed := make(chan Reason, 1)
	s := startNode(t, Config{Loops: 1, Handler: Handler{
		Message: func(s *Session, m Message) {
			got <- string(m.Body)
			_ = s.Ack(m.Number)
		},
		Closed: func(_ *Session, why Reason) { closed <- why },
	}})
	w, _ := joinNode(t, s, "alice")
	w.send(codec.AppendSend(nil, 7, []byte("hello")))
	if body := <-got; body != "hello" {
		t.Errorf("SEND %q", body)
	}
	if m, err := codec.ParseAck(w.want(codec.Ack).Payload); err != nil || m != codec.AckOf(7) {
		t.Errorf("ACK %v, %v", m, err)
	}
	w.send(codec.AppendBye(nil))
	if why := <-closed; why != ReasonBye {
		t.Errorf("closed as %v, want bye", why)
	}
	if f, err := w.next(); err == nil {
		t.Errorf("after BYE: %v", f.Type)
	}
}
