package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestSessionEndsWithItsToken(t *testing.T) {
	n := newNode(t, rigConfig{})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	n.r.authenticated(Answer{Handle: n.r.Handle(slot), Expires: n.r.wall().Add(5 * time.Minute)})
	p.in = nil
	for range 10 {
		n.run(29500 * time.Millisecond)
		n.send(slot, codec.AppendPing(nil, 1, 0))
	}
	if p.finished {
		t.Fatal("ended before its token")
	}
	p.in = nil
	n.r.node.Window.Set(20 * time.Second)
	n.run(5*time.Second + 2*n.r.cfg.Tick)
	if _, m := answer(t, p); m.Code != codec.CodeTokenExpired || m.Window != 20*time.Second {
		t.Fatalf("GOAWAY %v over %v, want token_expired over the node's window: many tokens may end at once", m.Code, m.Window)
	}
}

// A slow authenticator holds up nobody else, and its client is not blamed.
func TestSlowAuthenticatorMeansBusyNotTimeout(t *testing.T) {
	n := newNode(t, rigConfig{})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	handle := n.r.Handle(slot)
	n.run(7 * time.Second)
	if _, m := answer(t, p); m.Code != codec.CodeBusy || m.Delay != time.Second || m.Window != time.Second {
		t.Fatalf("GOAWAY %v with delay %v and window %v, want busy and a second of each", m.Code, m.Delay, m.Window)
	}
	n.r.authenticated(Answer{Handle: handle}) // too late: must not welcome
	if n.r.counters.Sessions != 0 || len(frames(t, p.in)) != 1 {
		t.Fatal("a late answer made a session of a connection that was sent away")
	}
}

func TestNothingIsServedBeforeTheTokenIsChecked(t *testing.T) {
	for name, after := range map[string][]byte{
		"PING":           codec.AppendPing(nil, 1, 0),
		"SEND":           codec.AppendSend(nil, 1, []byte("as admin")),
		"ACK":            codec.AppendAck(nil, codec.AckOf(1)),
		"a second HELLO": hello("admin"),
		"unknown type":   codec.AppendFrame(nil, 99, codec.FlagIgnorable, nil),
	} {
		served := 0
		n := newNode(t, rigConfig{Handler: handler{
			Opened:  func(*caller) { served++ },
			Message: func(*caller, uint64, []byte) { served++ },
			Settled: func(Outcome, Waiter) { served++ },
			Closed:  func(*caller, Reason) { served++ },
		}})
		n.r.asker = asks(func() {})
		slot, p := n.dial()
		n.send(slot, append(hello("admin"), after...))
		if code := goAwayCode(t, p); code != codec.CodeProtocolError || served != 0 {
			t.Errorf("%s before WELCOME: %v, %d calls of the handler; want protocol_error and none", name, code, served)
		}
	}
	n := newNode(t, rigConfig{MaxFrame: 1 << 20})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.send(slot, append(hello("admin"), 0x53, 0x10, 5, 0, 0, 0, 0x20, 1))
	if code := goAwayCode(t, p); code != codec.CodeFrameTooLarge {
		t.Errorf("8193 bytes declared before WELCOME: %v", code)
	}
}

func TestATokenForEverDoesNotOverflow(t *testing.T) {
	n := newNode(t, rigConfig{})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	n.r.authenticated(Answer{Handle: n.r.Handle(slot), Expires: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)})
	n.run(time.Minute)
	if got := frameTypes(t, p.in); len(got) != 1 || got[0] != codec.Welcome {
		t.Fatalf("answered by %v, want WELCOME alone", got)
	}
	if calls := n.r.wheel.Stats().Calls; calls > 2 {
		t.Fatalf("looked at %d times in a minute: its deadline is not where it should be", calls)
	}
}

// A stall is charged to nobody's silence, but a token ends when it ends.
func TestAStallGivesNobodyMoreTimeThanHisToken(t *testing.T) {
	n := newNode(t, rigConfig{})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	n.r.authenticated(Answer{Handle: n.r.Handle(slot), Expires: n.r.wall().Add(time.Minute)})
	p.in = nil
	n.r.node.Window.Set(20 * time.Second)
	n.run(n.r.cfg.Tick)
	n.now += time.Hour
	n.send(slot, codec.AppendPing(nil, 1, 0))
	if _, m := answer(t, p); m.Code != codec.CodeTokenExpired || m.Window != 20*time.Second {
		t.Fatalf("GOAWAY %v over %v, want token_expired with the first frame after the stall, over the node's window", m.Code, m.Window)
	}
}

// checked lets one client say HELLO and answers for the authenticator.
func (n *node) checked(id string, why Reason) (codec.WelcomeMessage, codec.GoAwayMessage) {
	n.t.Helper()
	slot, p := n.dial()
	n.send(slot, hello(id))
	if len(p.in) == 0 {
		n.r.authenticated(Answer{Handle: n.r.Handle(slot), Why: why})
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
	n.r.authenticated(Answer{Handle: n.r.Handle(one)})
	n.r.authenticated(Answer{Handle: n.r.Handle(two)})
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
	n.r.authenticated(Answer{Handle: n.r.Handle(slot)})
	p.in = nil
	n.run(9900 * time.Millisecond)
	if len(p.in) != 0 {
		t.Fatal("ended before its deadline")
	}
	n.run(600 * time.Millisecond)
	n.wantClosed(ReasonPartialTimeout, 1)
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
