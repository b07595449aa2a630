package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(childOrders); text != "" {
		os.Exit(runChild(text))
	}
	goleak.VerifyTestMain(m,
		// gnet's worker pool is a package variable that lives as long as the process.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"))
}

// startNode starts a node on a free port and stops it when the test ends.
func startNode(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.IDRate == 0 {
		cfg.IDRate = -1 // tests are not careful with ids
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
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
	return dial(t, &siege.Target{Addr: s.Addr()})
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

func (w *wire) send(b []byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) next() (codec.Frame, error) { return w.Next() }

func (w *wire) want(typ codec.Type) codec.Frame {
	w.t.Helper()
	f, err := w.next()
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
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20s: %s", what)
		}
	}
}

func TestTwoNodesOnOnePortTheSecondFailsAndNamesIt(t *testing.T) {
	first := startNode(t, Config{})
	second, err := New(Config{Listen: first.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	err = second.Start()
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), first.Addr()) {
		t.Fatalf("second node: %v, want EADDRINUSE naming %s", err, first.Addr())
	}
	if err := second.Wait(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Wait: %v, want the error of Start", err)
	}
}

// While a node is between its probe and its listeners, the holder must keep others off.
func TestAClaimedAddressCannotBeTaken(t *testing.T) {
	c, err := claimAddr("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.release()
	if other, err := claimAddr(c.addr); err == nil {
		other.release()
		t.Fatalf("%s was claimed twice", c.addr)
	}
}

func TestPortZeroWithFourLoopsReachesAllOfThem(t *testing.T) {
	s := startNode(t, Config{Loops: 4})
	for range 200 {
		if _, m := joinNode(t, s, "c"); m.Session.Handle>>56 > 3 {
			t.Fatalf("session of loop %d", m.Session.Handle>>56)
		}
		if s.Stats().Loops == 4 {
			return
		}
	}
	t.Fatalf("200 connections reached %d of 4 loops", s.Stats().Loops)
}

func TestRestartOnTheSamePortRightAfterStop(t *testing.T) {
	s := startNode(t, Config{})
	joinNode(t, s, "a")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	joinNode(t, startNode(t, Config{Listen: s.Addr()}), "a")
}

func TestIPv6AndAllAddresses(t *testing.T) {
	for _, listen := range []string{"[::1]:0", ":0", "0.0.0.0:0"} {
		s := startNode(t, Config{Listen: listen})
		_, port, _ := net.SplitHostPort(s.Addr())
		host := "127.0.0.1"
		if listen == "[::1]:0" {
			host = "::1"
		}
		c, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatalf("%s: %v", listen, err)
		}
		c.Close()
	}
}

func TestSessionsFromOtherGoroutines(t *testing.T) {
	var acked atomic.Uint64
	opened := make(chan codec.SessionID, 1)
	s := startNode(t, Config{Handler: Handler{
		Opened: func(s *Session) { opened <- s.ID() },
		Acked:  func(_ *Session, id uint64) { acked.Store(id) },
	}})
	w, m := joinNode(t, s, "a")
	id := <-opened
	if id != m.Session {
		t.Fatalf("handler saw session %v, client %v", id, m.Session)
	}
	for i := range uint64(3) {
		if err := s.Deliver(id, []byte("hi")); err != nil {
			t.Fatal(err)
		}
		got, body, _ := codec.ParseMessage(w.want(codec.Deliver).Payload)
		if got != i+1 || string(body) != "hi" {
			t.Fatalf("DELIVER %d %q, want %d", got, body, i+1)
		}
	}
	w.send(codec.AppendAck(nil, 3))
	eventually(t, "ACK reaches the handler", func() bool { return acked.Load() == 3 })
	if err := s.Ack(id, 77); err != nil {
		t.Fatal(err)
	}
	if got, _ := codec.ParseAck(w.want(codec.Ack).Payload); got != 77 {
		t.Fatalf("ACK %d, want 77", got)
	}
	if err := s.Close(id, codec.CodeReplaced); err != nil {
		t.Fatal(err)
	}
	w.wantGoAway(codec.CodeReplaced)
	if _, err := w.next(); err != io.EOF {
		t.Fatalf("after GOAWAY: %v, want EOF", err)
	}
	w.Close()
	eventually(t, "the session is gone", func() bool { return s.Stats().Conns == 0 })
	if err := s.Deliver(id, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a late delivery is counted as stale", func() bool { return s.Stats().Stale == 1 })
	if err := s.Deliver(codec.SessionID{Epoch: id.Epoch + 1, Handle: id.Handle}, nil); !errors.Is(err, ErrNoSuch) {
		t.Fatalf("session of another epoch: %v, want ErrNoSuch", err)
	}
	if err := s.Deliver(id, make([]byte, 64<<10)); !errors.Is(err, ErrTooBig) {
		t.Fatalf("a body beyond a frame: %v, want ErrTooBig", err)
	}
}

// The client's bytes are unread when the server decides: its close must not destroy the
// notice, even for a client that only writes until it fails.
func TestFarewellReachesAClientThatIsStillWriting(t *testing.T) {
	s := startNode(t, Config{})
	for range 50 {
		w := dialNode(t, s)
		w.send([]byte("garbage"))
		for range 20 {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				break
			}
		}
		w.wantGoAway(codec.CodeProtocolError)
	}
	if cut := s.Stats().LingerCut; cut != 0 {
		t.Errorf("%d farewells were cut, want none", cut)
	}
}

func TestSilentClientIsResetAndToldWhy(t *testing.T) {
	s := startNode(t, Config{Heartbeat: 100 * time.Millisecond, Timeout: 300 * time.Millisecond, Tick: 20 * time.Millisecond})
	before := time.Now()
	w, _ := joinNode(t, s, "a")
	w.wantGoAway(codec.CodeHeartbeatTimeout)
	if silent := time.Since(before); silent < 300*time.Millisecond {
		t.Errorf("evicted after %v, earlier than the timeout", silent)
	}
	if _, err := w.next(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the GOAWAY: %v, want a reset, so that no orphan stays in the kernel", err)
	}
	eventually(t, "counted", func() bool { return s.Stats().Evictions() == 1 })
}

// One byte at a time through real sockets: the frame is understood, and a frame that
// stops half way ends its connection.
func TestTrickleIsUnderstoodUntilItStops(t *testing.T) {
	s := startNode(t, Config{PartialTimeout: 300 * time.Millisecond, Tick: 20 * time.Millisecond})
	w := dialNode(t, s)
	for _, b := range helloFrame("slow") {
		w.send([]byte{b})
		time.Sleep(200 * time.Microsecond) // so that the kernel does not join the bytes
	}
	w.want(codec.Welcome)
	ping := codec.AppendPing(nil, 5, 0)
	for _, b := range append(ping, ping[:13]...) {
		w.send([]byte{b})
	}
	w.want(codec.Pong)
	w.wantGoAway(codec.CodePartialTimeout)
}

func TestStopSaysGoodbyeAndWaitReturnsNil(t *testing.T) {
	s := startNode(t, Config{})
	var clients []*wire
	for range 100 {
		w, _ := joinNode(t, s, "a")
		clients = append(clients, w)
	}
	fds := countDescriptors(t)
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- s.Stop(ctx)
	}()
	for _, w := range clients {
		w.wantGoAway(codec.CodeShutdown)
		w.Close()
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Fatalf("Wait after Stop: %v", err)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Fatalf("second Stop: %v", err)
	}
	if left := countDescriptors(t); left > fds-200 {
		t.Errorf("%d descriptors before, %d after 100 connections of both ends have closed", fds, left)
	}
}

func countDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(entries)
}

func TestEngineThatEndsByItselfIsAnError(t *testing.T) {
	s := startNode(t, Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.engine.Stop(ctx) // not through Server.Stop: as if accept had failed
	if err := s.Wait(); !errors.Is(err, ErrEngine) {
		t.Fatalf("Wait: %v, want ErrEngine", err)
	}
}

func TestMaxConnsRefusesTheExcessAndRecovers(t *testing.T) {
	s := startNode(t, Config{MaxConns: 10, Tick: 20 * time.Millisecond})
	var in []*wire
	for range 10 {
		w, _ := joinNode(t, s, "a")
		in = append(in, w)
	}
	for range 5 {
		w := dialNode(t, s)
		w.send(helloFrame("c")) // who is in already may come back: only HELLO tells
		w.wantGoAway(codec.CodeFull)
	}
	in[0].Close()
	eventually(t, "room after one has left", func() bool { return s.shared.gate.conns.Load() < 10 })
	joinNode(t, s, "b")
	eventually(t, "refusals counted", func() bool { return s.Stats().Refused == 5 })
}

func TestWindowFollowsConnectionsAndRate(t *testing.T) {
	s := startNode(t, Config{Tick: 5 * time.Millisecond, FailoverRate: 10})
	var last *wire
	for range 20 {
		last, _ = joinNode(t, s, "a")
	}
	eventually(t, "window of 20 clients at 10/s", func() bool { return s.Stats().Window == 2100*time.Millisecond })
	eventually(t, "PONG tells it", func() bool {
		last.send(codec.AppendPing(nil, 1, 0))
		m, err := codec.ParsePong(last.want(codec.Pong).Payload)
		return err == nil && m.Terms.Window == 2100*time.Millisecond
	})
}

func TestStopAfterAFailedStartIsHarmless(t *testing.T) {
	first := startNode(t, Config{})
	second, err := New(Config{Listen: first.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	startErr := second.Start()
	for name, stop := range map[string]func(context.Context) error{"Stop": second.Stop, "Drain": second.Drain} {
		if err := stop(context.Background()); !errors.Is(err, startErr) {
			t.Errorf("%s: %v, want the error of Start", name, err)
		}
	}
	if second.Addr() != "" || second.Stats().Conns != 0 {
		t.Error("a node that never was has an address or clients")
	}
}

func TestPostsAfterTheEndAreErrors(t *testing.T) {
	s := startNode(t, Config{})
	_, m := joinNode(t, s, "a")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Deliver": s.Deliver(m.Session, nil), "Ack": s.Ack(m.Session, 1), "Close": s.Close(m.Session, 0),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}

// What a turn had no time for is done soon after, not with the next tick.
func TestUnfinishedWorkDoesNotWaitForTheNextTick(t *testing.T) {
	s := startNode(t, Config{Tick: 10 * time.Second, Heartbeat: 30 * time.Second, Loops: 1})
	w, m := joinNode(t, s, "a")
	const posts = 5000
	began := time.Now()
	for range posts {
		if err := s.Deliver(m.Session, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for range posts {
		w.want(codec.Deliver)
	}
	if took := time.Since(began); took > 5*time.Second { // the length of half a tick is the test
		t.Fatalf("%d messages took %v", posts, took)
	}
}

// A node without clients ends at once, however often it is told to and by how many, and says
// the same to all.
func TestStopOfAnIdleNodeIsQuickAndMayBeRepeated(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); !errors.Is(err, ErrNotStarted) {
		t.Errorf("Wait before Start: %v, want ErrNotStarted", err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := s.Stop(context.Background()); err != nil {
				t.Errorf("Stop, eight at a time: %v", err)
			}
		})
	}
	all.Wait()
	// gnet looks every 500 ms whether it has ended.
	if took := time.Since(began); took > 400*time.Millisecond {
		t.Errorf("Stop with nothing to wait for took %v", took)
	}
	for range 20 {
		if err := s.Stop(context.Background()); err != nil {
			t.Fatalf("Stop after Stop: %v", err)
		}
		if err := s.Drain(context.Background()); err != nil {
			t.Fatalf("Drain after Stop: %v", err)
		}
	}
	if err := s.Wait(); err != nil {
		t.Errorf("Wait after Stop: %v", err)
	}
}
