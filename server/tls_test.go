package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/siege"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// startTLS starts a node whose clients come by TLS.
func startTLS(t *testing.T, cfg Config, change func(*tls.Config)) *Server {
	t.Helper()
	withTLS(&cfg)
	if change != nil {
		change(cfg.TLS)
	}
	return startNode(t, cfg)
}

// startHeld starts a node whose handshakes stand still until held is closed, and wait so long for their
// turn.
func startHeld(t *testing.T, cfg Config, patience time.Duration, held chan struct{}) *Server {
	t.Helper()
	withTLS(&cfg)
	own := cfg.TLS.Certificates[0]
	cfg.TLS.Certificates = nil
	cfg.TLS.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		<-held
		return &own, nil
	}
	cfg.Listen, cfg.IDRate = "127.0.0.1:0", -1
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.away.patience = patience
	start(t, s)
	return s
}

// dialStd connects as a program does that has crypto/tls.
func dialStd(t *testing.T, s *Server, cfg *tls.Config) *tls.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(nc, cfg)
	t.Cleanup(func() { nc.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// login says HELLO and reads WELCOME.
func login(t *testing.T, c net.Conn, id string) {
	t.Helper()
	if _, err := c.Write(helloFrame(id)); err != nil {
		t.Fatal(err)
	}
	if f := readFrame(t, c); f.Type != codec.Welcome {
		t.Fatalf("%v, want WELCOME", f.Type)
	}
}

func readFrame(t *testing.T, c net.Conn) codec.Frame {
	t.Helper()
	var all []byte
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		all = append(all, b[:n]...)
		if f, _, bad := codec.Decode(all, codec.MaxPayload); bad == nil {
			return f
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A client's certificate reaches the authenticator, and the session says by what it came.
func TestAuthenticatorSeesTheClientsCertificate(t *testing.T) {
	own, err := selfsigned.New(time.Hour, "alice.example")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan AuthRequest, 1)
	opened := make(chan Transport, 1)
	s := startTLS(t, Config{
		Loops: 1,
		Auth: authFunc(func(_ context.Context, r AuthRequest) (AuthGrant, error) {
			asked <- r
			return AuthGrant{}, nil
		}),
		Handler: Handler{Opened: func(s *Session) { opened <- s.Transport() }},
	}, func(c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, selfsigned.Pool(own)
	})
	cfg := clientTLS()
	cfg.Certificates = []tls.Certificate{own}
	login(t, dialStd(t, s, cfg), "alice")
	r := <-asked
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || r.TLS.PeerCertificates[0].DNSNames[0] != "alice.example" || r.TLS.ServerName != "localhost" {
		t.Errorf("the authenticator sees %+v", r.TLS)
	}
	if by := <-opened; by != TransportTLS {
		t.Errorf("the session came by %q", by)
	}
}

// A node that comes back, and another one, resume what this one has begun, if they share the secret.
func TestSessionsAreResumedAfterARestartAndAtAnotherNode(t *testing.T) {
	secret := []byte(strings.Repeat("s", MinSecret))
	cfg := clientTLS()
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for i := range 3 {
		s := startTLS(t, Config{Loops: 2, ClusterSecrets: [][]byte{secret}}, nil)
		c := dialStd(t, s, cfg)
		login(t, c, "alice")
		if resumed := c.ConnectionState().DidResume; resumed != (i > 0) {
			t.Errorf("at node %d resumed: %v", i, resumed)
		}
		if st := s.Stats(); st.TLSFull+st.TLSResumed != 1 || (st.TLSResumed == 1) != (i > 0) || st.TLSExpiry < time.Hour {
			t.Errorf("node %d counts %d full, %d resumed, %v", i, st.TLSFull, st.TLSResumed, st.TLSExpiry)
		}
		c.Close()
	}
}

// close_notify ends a session as FIN does.
func TestCloseNotifyEndsASession(t *testing.T) {
	s := startTLS(t, Config{Loops: 1}, nil)
	c := dialStd(t, s, clientTLS())
	login(t, c, "alice")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session ends as its peer's end", func() bool { return s.Stats().Closes[ReasonPeerClosed] == 1 })
	if _, err := c.Read(make([]byte, 1)); err != io.EOF { // an unexpected one: the node has not said close_notify
		t.Errorf("the client reads %v", err)
	}
}

// What is no TLS ends as that where there is only TLS; beside plain TCP, plain TCP works.
func TestWhatIsNoTLS(t *testing.T) {
	s := startTLS(t, Config{Loops: 1}, nil)
	plain := dial(t, &siege.Target{Addr: s.Addr()})
	plain.Write(helloFrame("alice"))
	if f, err := plain.Next(); err != nil || f.Type != codec.GoAway || !strings.Contains(string(f.Payload), "this port speaks TLS") {
		t.Errorf("a plain client reads %v %q, %v", f.Type, f.Payload, err)
	}
	old := clientTLS()
	old.MaxVersion = tls.VersionTLS12
	if err := dialStd(t, s, old).Handshake(); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.2: %v", err)
	}
	eventually(t, "both have ended", func() bool { return s.Stats().Closes[ReasonTLSFailed] == 2 })

	both := startNode(t, Config{Loops: 1, TLS: s.cfg.TLS, Transports: []Transport{TransportTCP, TransportTLS}})
	joinNode(t, both, "alice")
	login(t, dialStd(t, both, clientTLS()), "bob")
}

// clientHello is what a client of crypto/tls says first.
func clientHello() []byte {
	stage := transport.NewLines(handshake.NewClient(clientTLS(), nil))
	defer stage.End(0)
	return bytes.Clone(stage.Begin(0))
}

// beginHandshakes has so many clients come that never end their handshakes: some say all of the first
// flight, some not all of it, and some nothing.
func beginHandshakes(t *testing.T, s *Server, n int) {
	t.Helper()
	hello := clientHello()
	for i := range n {
		nc, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		b := hello
		switch i % 3 {
		case 1:
			b = hello[:len(hello)-1] // and never the rest
		case 2:
			b = nil
		}
		_, _ = nc.Write(b)
	}
}

// Handshakes that are begun and never ended hold up nobody.
func TestHandshakesThatNeverEndHoldNobodyUp(t *testing.T) {
	const idle = 300
	s := startTLS(t, Config{Loops: 2, HelloTimeout: time.Hour, Tick: 20 * time.Millisecond}, nil)
	beginHandshakes(t, s, idle)
	eventually(t, "their handshakes wait for them", func() bool { return s.Stats().TLSWaiting == idle/3 })
	for range 20 {
		c := dialStd(t, s, clientTLS())
		login(t, c, "honest")
		c.Close()
	}
	if st := s.Stats(); st.TLSWaiting != idle/3 {
		t.Errorf("%d wait, want those that never end", st.TLSWaiting)
	}
}

// What they took is given back when their time is over.
func TestHandshakesThatNeverEndAreOverInTime(t *testing.T) {
	const idle = 300
	s := startTLS(t, Config{Loops: 2, HelloTimeout: 500 * time.Millisecond, Tick: 20 * time.Millisecond}, nil)
	beginHandshakes(t, s, idle)
	eventually(t, "their time is over", func() bool {
		st := s.Stats()
		return st.Closes[ReasonHelloTimeout]+st.Closes[ReasonTLSBusy] == idle && st.TLSWaiting == 0
	})
}

// When handshakes take long, whoever waited too long for his turn is sent away.
func TestWhoWaitsTooLongForAHandshakeIsSentAway(t *testing.T) {
	held := make(chan struct{})
	s := startHeld(t, Config{Loops: 1, Tick: 10 * time.Millisecond}, 500*time.Millisecond, held)
	hello := clientHello()
	for range s.away.workers { // they have their turn
		w := dial(t, &siege.Target{Addr: s.Addr()})
		w.send(hello)
	}
	eventually(t, "all workers are held", func() bool {
		s.away.mu.Lock()
		defer s.away.mu.Unlock()
		return s.away.running == s.away.workers
	})
	late := dial(t, &siege.Target{Addr: s.Addr()})
	late.send(hello)
	eventually(t, "one waits too long", func() bool { return s.away.sample().Waited > s.away.patience })
	close(held)
	eventually(t, "it is sent away", func() bool { return s.Stats().Closes[ReasonTLSBusy] == 1 })
	login(t, dialStd(t, s, clientTLS()), "alice")
	eventually(t, "it counts for nothing that the node could do", func() bool { return s.away.sample().Taken == uint64(s.away.workers)+1 })
}

// The time for HELLO stands still while a client waits for its turn, and then it has all of it.
func TestTheTimeForHelloStandsStillDuringTheWait(t *testing.T) {
	held := make(chan struct{})
	const has = time.Second
	s := startHeld(t, Config{Loops: 1, HelloTimeout: has, Tick: 10 * time.Millisecond}, time.Minute, held)
	for range s.away.workers {
		dial(t, &siege.Target{Addr: s.Addr()}).send(clientHello())
	}
	eventually(t, "their handshakes are under way", func() bool {
		s.away.mu.Lock()
		defer s.away.mu.Unlock()
		return s.away.running == s.away.workers
	})
	dial(t, &siege.Target{Addr: s.Addr()}).send(clientHello())
	eventually(t, "one has waited longer than it has for HELLO", func() bool { return s.away.sample().Waited > 1200*time.Millisecond })
	now := func() Counters { return (*s.loops.Load())[0].snapshot() }
	before := now().SnapshotAt
	close(held)
	// The time of those who did not wait is over.
	eventually(t, "they are cut", func() bool { return now().Closes[ReasonHelloTimeout] >= uint64(s.away.workers) })
	eventually(t, "all are cut", func() bool { return now().Closes[ReasonHelloTimeout] == uint64(s.away.workers)+1 })
	// It had waited for longer than it has, so that without its own time it would be cut at once; that begins with the loop's turn, which
	// may have begun before.
	if took := now().SnapshotAt - before; took < has/2 {
		t.Errorf("who waited for its turn is cut after %v, want %v of its own", took, has)
	}
}

// A pool that is full says so, and serves who has begun before who has not.
func TestAwayPoolServesFirstWhoHasBegun(t *testing.T) {
	s := startTLS(t, Config{Loops: 1}, nil)
	joined := dialStd(t, s, clientTLS())
	login(t, joined, "alice") // so that there is a loop
	staged := (*s.loops.Load())[0].staged
	p := &awayPool{workers: 1, patience: time.Minute}
	order, hold := make(chan string, 10), make(chan struct{})
	job := func(name string, fresh bool) awayJob {
		return awayJob{t: staged, fresh: fresh, came: time.Now(), bytes: awayQueueBytes / 2, work: func() func() {
			if name == "" {
				<-hold
			}
			order <- name
			return func() {}
		}}
	}
	for _, j := range []awayJob{job("", false), job("fresh", true), job("fresh 2", true), job("begun", false)} {
		if !p.submit(j) {
			t.Fatal("refused")
		}
	}
	if p.submit(job("too many", true)) {
		t.Error("more bytes may wait than there is room for")
	}
	close(hold)
	for _, want := range []string{"", "begun", "fresh", "fresh 2"} {
		if got := <-order; got != want {
			t.Errorf("%q came, want %q", got, want)
		}
	}
	p.stop()
	if p.submit(job("late", true)) || p.sample().Taken != 2 {
		t.Errorf("a pool that is stopped takes work, or counted %d", p.sample().Taken)
	}
}

// A callback of tls.Config that ends its goroutine ends its handshake, and no worker is lost.
func TestACallbackThatEndsItsGoroutineCostsItsHandshake(t *testing.T) {
	s := startTLS(t, Config{Loops: 1}, func(c *tls.Config) {
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if h.ServerName == "goexit" {
				runtime.Goexit()
			}
			return nil, nil
		}
	})
	bad := clientTLS()
	bad.ServerName = "goexit"
	for range 2*s.away.workers + 1 {
		if err := dialStd(t, s, bad).Handshake(); err == nil {
			t.Fatal("a handshake without an end has ended")
		}
	}
	eventually(t, "they have failed", func() bool { return s.Stats().Closes[ReasonTLSFailed] == uint64(2*s.away.workers+1) })
	login(t, dialStd(t, s, clientTLS()), "alice")
}

// A callback of tls.Config that panics is told of, as other callbacks are.
func TestAPanicOfATLSCallbackIsLogged(t *testing.T) {
	var log lines
	s := startTLS(t, Config{Loops: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(c *tls.Config) {
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { panic("a fault of the embedder's") }
	})
	for range 3 {
		_ = dialStd(t, s, clientTLS()).Handshake()
	}
	eventually(t, "they have failed", func() bool { return s.Stats().Closes[ReasonTLSFailed] == 3 })
	if n := strings.Count(log.String(), "a fault of the embedder's"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log.String())
	}
}
