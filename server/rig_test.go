package server

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/internal/siege"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(childOrders); text != "" {
		os.Exit(runChild(text))
	}
	goleak.VerifyTestMain(m,
		// gnet's worker pool is a package variable that lives as long as the process.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

// freePort is an address at which nobody listens, and that nobody is given meanwhile.
func freePort(t *testing.T) string {
	t.Helper()
	addrs, err := freeport.Loopback(1)
	if err != nil {
		t.Fatal(err)
	}
	return addrs[0]
}

// skipUnlessSlow skips what takes long and tells little more than another test, for the reason given.
func skipUnlessSlow(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("STORMWHEEL_SLOW") == "" {
		t.Skip(why + ": STORMWHEEL_SLOW=1 has it run")
	}
}

// startNode starts a node on a free port and stops it when the test ends.
func startNode(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Listen == "" && cfg.Listeners == nil {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.IDRate == 0 {
		cfg.IDRate = -1 // tests are not careful with ids
	}
	if configure := transportOf(t).Config; configure != nil {
		configure(&cfg)
	}
	if transportOf(t).Unix {
		cfg.Listen = unixAddr(t)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.stage = transportOf(t).Server
	start(t, s)
	return s
}

// start starts a node and stops it when the test ends and its clients are gone. Nothing of
// them, and of the node, may be left then.
func start(t *testing.T, s *Server) {
	t.Helper()
	before := openDescriptors()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			wantNothingLeft(t, s)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Stop(ctx); err != nil && !errors.Is(err, ErrEngine) {
			t.Errorf("stop: %v", err)
		}
		if !t.Failed() {
			wantDescriptors(t, before)
		}
	})
}

// wire is a raw client whose test fails with it.
type wire struct {
	*siege.Peer
	t *testing.T
}

func dial(t *testing.T, node *siege.Target) *wire {
	t.Helper()
	p := node.Peer("client")
	t.Cleanup(func() { p.Close() })
	if err := p.Dial(context.Background()); err != nil {
		t.Fatal(err)
	}
	return &wire{p, t}
}

func dialNode(t *testing.T, s *Server) *wire {
	t.Helper()
	return dial(t, &siege.Target{Addr: s.Addr(), Stage: transportOf(t).Client})
}

func joinNode(t *testing.T, s *Server, id string) (*wire, codec.WelcomeMessage) {
	t.Helper()
	w := dialNode(t, s)
	w.send(helloFrame(id))
	m, err := codec.ParseWelcome(w.want(codec.Welcome).Payload)
	if err != nil {
		t.Fatal(err)
	}
	return w, m
}

// joinSender is joinNode for an attempt of incarnation 7, whose messages have a name.
func joinSender(t *testing.T, s *Server, id string, attempt uint32) *wire {
	t.Helper()
	w := dialNode(t, s)
	w.send(senderFrame(id, attempt))
	w.want(codec.Welcome)
	return w
}

func senderFrame(id string, attempt uint32) []byte {
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id), Incarnation: 7, Attempt: attempt})
	if err != nil {
		panic(err)
	}
	return b
}

// Write and Next have patience for each wait: a peer alone has it for its whole life, which on a busy
// machine may be longer.

func (w *wire) Write(b []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(patience)) // the next call says what is wrong
	return w.Peer.Write(b)
}

func (w *wire) Next() (codec.Frame, error) {
	_ = w.SetReadDeadline(time.Now().Add(patience))
	return w.Peer.Next()
}

func (w *wire) send(b []byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) next() (codec.Frame, error) { return w.Next() }

func (w *wire) want(typ codec.Type) codec.Frame {
	w.t.Helper()
	_ = w.SetReadDeadline(time.Now().Add(patience))
	f, err := w.NextBut(typ)
	if err != nil || f.Type != typ {
		w.t.Fatalf("got %v, %v; want %v", f.Type, err, typ)
	}
	return f
}

func (w *wire) wantGoAway(code codec.Code) {
	w.t.Helper()
	m, err := codec.ParseGoAway(w.want(codec.GoAway).Payload)
	if err != nil || m.Code != code {
		w.t.Fatalf("GOAWAY %v, %v; want %v", m.Code, err, code)
	}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func helloFrame(id string) []byte {
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id)})
	if err != nil {
		panic(err)
	}
	return b
}

// What the gates go by.
const (
	handshakeBurst = 10
	minPending     = 256
)
