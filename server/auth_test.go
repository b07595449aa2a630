package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// checked lets one client say HELLO and answers for the authenticator.
func (n *node) checked(id string, why Reason) (codec.WelcomeMessage, codec.GoAwayMessage) {
	n.t.Helper()
	slot, p := n.dial()
	n.send(slot, hello(id))
	if len(p.in) == 0 {
		n.r.authenticated(authAnswer{Handle: n.r.handle(slot), Why: why})
	}
	w, g := answer(n.t, p)
	n.r.Closed(slot, ReasonPeerClosed)
	return w, g
}

// Whoever knows a client's id, and has its address, but no token of it, must not lock it out.
func TestFlappingIsCountedForGoodTokensOnly(t *testing.T) {
	n := newNode(t, rigConfig{IDRate: 0.2})
	asked := 0
	n.r.asker = asks(func() { asked++ })
	for range 3 * handshakes {
		if _, g := n.checked("victim", ReasonUnauthorized); g.Code != codec.CodeUnauthorized {
			t.Fatalf("a bad token: %v", g.Code)
		}
	}
	for i := range handshakes + 1 {
		if _, g := n.checked("victim", ReasonNone); g.Code != 0 {
			t.Fatalf("return %d of the client itself: %v", i, g.Code)
		}
	}
	before := asked
	_, g := n.checked("victim", ReasonNone)
	if g.Code != codec.CodeBusy || g.Delay < 4*time.Second || asked != before {
		t.Fatalf("one return too many: %v with delay %v, want busy for about 5s, and the authenticator not asked", g.Code, g.Delay)
	}
	n.wantClosed(ReasonFlapping, 1)
}

// Two HELLOs of one id may be checked at a time, and only one more is allowed.
func TestFlappingIsCountedAgainWhenTheTokenWasGood(t *testing.T) {
	n := newNode(t, rigConfig{IDRate: 0.2})
	n.r.asker = asks(func() {})
	for range handshakes {
		n.checked("twin", ReasonNone)
	}
	one, p1 := n.dial()
	n.send(one, hello("twin"))
	two, p2 := n.dial()
	n.send(two, hello("twin"))
	n.r.authenticated(authAnswer{Handle: n.r.handle(one)})
	n.r.authenticated(authAnswer{Handle: n.r.handle(two)})
	if _, g := answer(t, p1); g.Code != 0 {
		t.Errorf("the first: %v", g.Code)
	}
	if _, g := answer(t, p2); g.Code != codec.CodeBusy || g.Delay == 0 {
		t.Errorf("the second: %v with delay %v, want busy", g.Code, g.Delay)
	}
}

// What came behind the HELLO has its deadline from the WELCOME on.
func TestHalfFrameBehindTheHelloEndsInTime(t *testing.T) {
	n := newNode(t, rigConfig{})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	hello := hello("alice")
	if consumed, _ := n.r.receive(n.now, slot, append(hello, codec.AppendPing(nil, 1, 0)[:12]...)); consumed != len(hello) {
		t.Fatalf("consumed %d bytes, want the HELLO", consumed)
	}
	p.held = 12
	n.r.authenticated(authAnswer{Handle: n.r.handle(slot)})
	p.in = nil
	n.run(9900 * time.Millisecond)
	if len(p.in) != 0 {
		t.Fatal("ended before its deadline")
	}
	n.run(600 * time.Millisecond)
	n.wantClosed(ReasonPartialTimeout, 1)
}

// Those whose token is being checked are not in yet, so they are among the tenth. They take
// half of it at most, and are not sent away as silent.
func TestClientsThatAreBeingCheckedTakeHalfOfTheShare(t *testing.T) {
	const clients = minPending + 100
	auth := &blockingAuth{asked: make(chan AuthRequest, clients), answer: make(chan error)}
	s := startNode(t, Config{MaxConns: 800, Loops: 1, Tick: 20 * time.Millisecond, Auth: auth, AuthTimeout: time.Minute, AdmitRate: 100_000,
		HelloTimeout: time.Minute})
	var mu sync.Mutex
	busy := 0
	for i := range clients {
		w := dialNode(t, s)
		w.send(helloFrame(fmt.Sprint("client-", i)))
		go func() {
			if f, err := w.next(); err == nil && f.Type == codec.GoAway {
				if m, _ := codec.ParseGoAway(f.Payload); m.Code == codec.CodeBusy {
					mu.Lock()
					busy++
					mu.Unlock()
				}
			}
		}()
	}
	told := func() int {
		mu.Lock()
		defer mu.Unlock()
		return busy
	}
	const share = minPending / 2
	eventually(t, "half of the share is being checked, and the others are told that the node is busy", func() bool {
		return s.node.Conns.Pending() == share && told() == clients-share
	})
	for range minPending { // the silent ones have the other half
		dialNode(t, s)
	}
	eventually(t, "the silent ones beyond it are sent away, and only they", func() bool {
		st := s.Stats()
		return st.Closes[ReasonPending] == minPending-share && st.Pending == minPending && told() == clients-share
	})
}

// failingAuth has lost its database, or its mind.
type failingAuth struct{ panics bool }

func (a failingAuth) Authenticate(context.Context, AuthRequest) (AuthGrant, error) {
	if a.panics {
		panic("no database")
	}
	return AuthGrant{}, errors.New("no database")
}

func TestAFailingAuthenticatorDoesNotFloodTheLog(t *testing.T) {
	for _, tt := range []struct {
		panics bool
		line   string
		code   codec.Code
	}{{false, "authenticator failed", codec.CodeBusy}, {true, "authenticator panicked", codec.CodeInternal}} {
		var log lines
		s := startNode(t, Config{Auth: failingAuth{tt.panics}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		const clients = 50
		for range clients {
			w := dialNode(t, s)
			w.send(helloFrame("x"))
			w.wantGoAway(tt.code)
		}
		if n := bytes.Count([]byte(log.String()), []byte(tt.line)); n != 1 {
			t.Errorf("%d lines say %q after %d failures within a minute, want one", n, tt.line, clients)
		}
	}
	var s seldom
	at := time.Now()
	for i, after := range []time.Duration{0, 1, time.Minute - 1, time.Minute, time.Minute + 1} {
		if n, log := s.note(at.Add(after)); n != uint64(i+1) || log != (after%time.Minute == 0) {
			t.Errorf("event %d after %v: counted as %d, logged %v", i+1, after, n, log)
		}
	}
}

// A client waits 5 s for WELCOME. It must hear that the node has no time before it gives up,
// or it comes back without a ticket and the node works for nobody.
func TestASlowAuthenticatorSaysBusyBeforeItsClientGivesUp(t *testing.T) {
	n := newNode(t, rigConfig{})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	n.run(5*time.Second - 2*n.r.cfg.Tick)
	if _, g := answer(t, p); g.Code != codec.CodeBusy || g.Delay == 0 {
		t.Errorf("after just under 5 s: %v with delay %v, want busy with a delay", g.Code, g.Delay)
	}
}
