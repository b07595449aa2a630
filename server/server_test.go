package server

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

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
	addr := freePort(t)
	s := startNode(t, Config{Listen: addr})
	joinNode(t, s, "a")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	joinNode(t, startNode(t, Config{Listen: addr}), "a")
}

func TestIPv6AndAllAddresses(t *testing.T) {
	for _, listen := range []string{"[::1]:0", ":0", "0.0.0.0:0"} {
		t.Run(listen, func(t *testing.T) { // what the first one still opens is no matter of the next
			s := startNode(t, Config{Listen: listen})
			_, port, _ := net.SplitHostPort(s.Addr())
			host := "127.0.0.1"
			if listen == "[::1]:0" {
				host = "::1"
			}
			c, err := net.Dial("tcp", net.JoinHostPort(host, port))
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		})
	}
}

// Who writes 0.0.0.0 may have a firewall for IPv4 alone.
func TestAnIPv4AddressIsIPv4Alone(t *testing.T) {
	for _, c := range []struct {
		listen, name string
		six          bool
	}{{"0.0.0.0:0", "0.0.0.0", false}, {"[::]:0", "::", true}, {":0", "::", true}} {
		t.Run(c.listen, func(t *testing.T) {
			s := startNode(t, Config{Listen: c.listen})
			host, port, _ := net.SplitHostPort(s.Addr())
			if host != c.name {
				t.Errorf("its name is %s, want %s", host, c.name)
			}
			conn, err := net.Dial("tcp6", net.JoinHostPort("::1", port))
			if (err == nil) != c.six {
				t.Errorf("a connect by IPv6: %v", err)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
}

func TestSessionsFromOtherGoroutines(t *testing.T) {
	var acked atomic.Uint64
	opened := make(chan Ref, 1)
	s := startNode(t, Config{Handler: Handler{
		Opened: func(s *Session) { opened <- s.Ref() },
	}})
	w, m := joinNode(t, s, "a")
	id := <-opened
	if id != s.Ref(m.Session) {
		t.Fatalf("handler saw session %v, client %v", id, s.Ref(m.Session))
	}
	for i := range uint64(3) {
		if err := s.DeliverFunc(id, []byte("hi"), func(o Outcome) { acked.Store(o.Number) }); err != nil {
			t.Fatal(err)
		}
		got, body, _ := codec.ParseMessage(w.want(codec.Deliver).Payload)
		if got != i+1 || string(body) != "hi" {
			t.Fatalf("DELIVER %d %q, want %d", got, body, i+1)
		}
	}
	w.send(codec.AppendAck(nil, codec.AckOf(3)))
	eventually(t, "ACK reaches who waits", func() bool { return acked.Load() == 3 })
	if err := s.Close(id, Close{Code: codec.CodeReplaced}); err != nil {
		t.Fatal(err)
	}
	w.wantGoAway(codec.CodeReplaced)
	if _, err := w.next(); err != io.EOF {
		t.Fatalf("after GOAWAY: %v, want EOF", err)
	}
	w.Close()
	eventually(t, "the session is gone", func() bool { return s.Stats().Conns == 0 })
	earlier, elsewhere := Ref{id.node, id.epoch + 1, id.handle}, Ref{"another", id.epoch + 1, id.handle}
	for ref, want := range map[Ref]error{id: ErrClosed, earlier: ErrClosed, elsewhere: ErrNode, {}: ErrNode} {
		for what, err := range map[string]error{
			"Deliver": s.Deliver(ref, nil), "DeliverFunc": s.DeliverFunc(ref, nil, func(Outcome) { t.Error("an outcome of what was not taken") }),
			"DeliverOptional": s.DeliverOptional(ref, nil), "Close": s.Close(ref, Close{}),
		} {
			if !errors.Is(err, want) {
				t.Errorf("%s to %q: %v, want %v", what, ref, err, want)
			}
		}
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
		w.Close() // else its farewell waits for that, and is cut when the other clients take two seconds
	}
	if cut := s.exact().LingerCut; cut != 0 {
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
	_, err := w.next()
	if err == io.EOF { // the closing words of a WebSocket
		_, err = w.Socket.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) && !transportOf(t).Unix {
		t.Errorf("after the GOAWAY: %v, want a reset, so that no orphan stays in the kernel", err)
	}
	eventually(t, "counted", func() bool { return s.Stats().Evictions() == 1 })
}

// One byte at a time through real sockets: the frame is understood, and a frame that
// stops half way ends its connection.
func TestTrickleIsUnderstoodUntilItStops(t *testing.T) {
	s := startNode(t, Config{PartialTimeout: time.Second, Tick: 20 * time.Millisecond})
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
	eventually(t, "room after one has left", func() bool { return s.node.Conns.Open() < 10 })
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

// What a turn had no time for is done soon after, not with the next tick: these posts take more turns
// than there are ticks while a test waits.
func TestUnfinishedWorkDoesNotWaitForTheNextTick(t *testing.T) {
	s := startNode(t, Config{Tick: 10 * time.Second, Heartbeat: 30 * time.Second, Loops: 1})
	w, m := joinNode(t, s, "a")
	const posts = 5000
	for range posts {
		if err := s.Deliver(s.Ref(m.Session), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for range posts {
		w.want(codec.Deliver)
	}
}
