package reactor

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// hello sends a HELLO on a new connection and returns the answer: a WELCOME (code 0) or
// a GOAWAY.
func (n *node) hello(m codec.HelloMessage) (codec.WelcomeMessage, codec.GoAwayMessage, timingwheel.ID) {
	n.t.Helper()
	slot, p := n.dial()
	m.MinVersion, m.MaxVersion = 1, 1
	b, err := codec.AppendHello(nil, &m)
	if err != nil {
		n.t.Fatal(err)
	}
	n.send(slot, b)
	w, g := answer(n.t, p)
	return w, g, slot
}

func answer(t testing.TB, p *peer) (w codec.WelcomeMessage, g codec.GoAwayMessage) {
	t.Helper()
	all := frames(t, p.in)
	if len(all) != 1 {
		t.Fatalf("answered by %v, want one frame", frameTypes(t, p.in))
	}
	var err error
	if all[0].Type == codec.Welcome {
		w, err = codec.ParseWelcome(all[0].Payload)
	} else {
		g, err = codec.ParseGoAway(all[0].Payload)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w, g
}

func id(i int) []byte { return fmt.Appendf(nil, "client-%d", i) }

// A crowd that comes at once is let in at the pace, each client with one refusal at most,
// in the order in which it came.
func TestRefusedCrowdReturnsInOrderAtThePace(t *testing.T) {
	const rate, crowd = 100, 500
	n := newNode(t, rigConfig{AdmitRate: rate, MaxConns: 10000})
	start := n.now
	type waiting struct {
		id     []byte
		ticket []byte
		at     time.Duration
	}
	var queue []waiting
	admitted := 0
	for i := range crowd {
		_, g, slot := n.hello(codec.HelloMessage{ClientID: id(i)})
		if g.Code == 0 {
			admitted++
			continue
		}
		if g.Code != codec.CodeBusy || len(g.Ticket) == 0 {
			t.Fatalf("client %d: %+v, want busy with a ticket", i, g)
		}
		queue = append(queue, waiting{id(i), append([]byte(nil), g.Ticket...), n.now + g.Delay})
		n.r.Closed(slot, ReasonPeerClosed)
	}
	if admitted < rate/2 || admitted > rate/2+1 {
		t.Fatalf("%d admitted at once, want half a second's worth", admitted)
	}
	for i, w := range queue {
		if i > 0 && w.at < queue[i-1].at {
			t.Fatalf("slot %d is before slot %d", i, i-1)
		}
		for n.now < w.at {
			n.run(min(n.r.cfg.Tick, w.at-n.now))
		}
		if _, g, _ := n.hello(codec.HelloMessage{ClientID: w.id, Ticket: w.ticket}); g.Code != 0 {
			t.Fatalf("client %d came at its slot with its ticket and got %v", i, g.Code)
		}
	}
	ideal := time.Duration(crowd-rate/2) * time.Second / rate
	if took := n.now - start; took < ideal-50*time.Millisecond || took > ideal+50*time.Millisecond {
		t.Errorf("the crowd was in after %v, want %v", took, ideal)
	}
}

// A flood of strangers may fill half the queue; clients that had a session get the rest.
func TestJunkCannotPushTheQueueBeyondItsBound(t *testing.T) {
	const rate = 20
	n := newNode(t, rigConfig{AdmitRate: rate, MaxConns: 100000})
	resume := n.r.node.Seals.Pass(nil, n.r.wall().Add(time.Hour), codec.SessionID{Epoch: 1}, 0, []byte("regular"))
	var longest time.Duration
	turnedAway := 0
	for i := range 5000 {
		_, g, slot := n.hello(codec.HelloMessage{ClientID: id(i)})
		n.r.Closed(slot, ReasonPeerClosed)
		if len(g.Ticket) > 0 {
			longest = max(longest, g.Delay)
		} else if g.Code == codec.CodeBusy {
			turnedAway++
			if g.Delay == 0 || g.Window == 0 {
				t.Fatal("turned away without a time to come again")
			}
		}
	}
	if longest > gate.MaxWait/2 || turnedAway < 4000 {
		t.Fatalf("longest wait %v with %d turned away, want at most %v for strangers", longest, turnedAway, gate.MaxWait/2)
	}
	_, g, _ := n.hello(codec.HelloMessage{ClientID: []byte("regular"), ReturnPass: resume})
	if len(g.Ticket) == 0 || g.Delay > gate.MaxWait/2+time.Second {
		t.Fatalf("a client with a session got %v, delay %v, ticket %t; want a slot", g.Code, g.Delay, len(g.Ticket) > 0)
	}
	_, g, _ = n.hello(codec.HelloMessage{ClientID: []byte("thief"), ReturnPass: resume})
	if len(g.Ticket) != 0 {
		t.Fatal("a return pass was good for another id")
	}
}

// Those who had a session are given slots for a minute ahead, and no more either.
func TestReturningClientsFillTheQueueToItsBound(t *testing.T) {
	const rate = 20
	n := newNode(t, rigConfig{AdmitRate: rate, MaxConns: 100000})
	var longest time.Duration
	queued, turnedAway := 0, 0
	for i := range 2000 {
		resume := n.r.node.Seals.Pass(nil, n.r.wall().Add(time.Hour), codec.SessionID{Epoch: 1}, 0, id(i))
		_, g, slot := n.hello(codec.HelloMessage{ClientID: id(i), ReturnPass: resume})
		n.r.Closed(slot, ReasonPeerClosed)
		switch {
		case len(g.Ticket) > 0:
			queued++
			longest = max(longest, g.Delay)
		case g.Code == codec.CodeBusy:
			if turnedAway++; g.Delay == 0 || g.Window == 0 {
				t.Fatal("turned away without a time to come again")
			}
		}
	}
	if longest > gate.MaxWait || longest < gate.MaxWait-time.Second || queued < 60*rate-rate || queued > 60*rate+1 || turnedAway == 0 {
		t.Errorf("%d have a slot, the last in %v, and %d have none; want a minute of the queue, %d", queued, longest, turnedAway, 60*rate)
	}
}

// Who has waited for a slot elsewhere takes it, and the others' slots are as much later.
func TestWhoHasHadATurnIsAskedForNoOther(t *testing.T) {
	n := newNode(t, rigConfig{})
	for n.r.node.Queue.Ahead(n.now) < 10*time.Second {
		n.r.node.Queue.Ask(n.now, gate.MaxWait)
	}
	before := n.r.node.Queue.Ahead(n.now)
	slot, p := n.dial()
	n.r.Goes(slot, true)
	n.send(slot, hello("alice"))
	if w, g := answer(t, p); w.Session == (codec.SessionID{}) || g.Code != 0 {
		t.Errorf("told %v, session %v", g.Code, w.Session)
	}
	if after := n.r.node.Queue.Ahead(n.now); after <= before {
		t.Errorf("the next slot is in %v, and was in %v", after, before)
	}
}

// Who goes before his HELLO has used no slot, and another has his turn; who was let in has used it.
func TestATurnThatNobodyUsesIsGivenBack(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, _ := n.dial()
	n.r.Goes(slot, true)
	n.send(slot, hello("alice"))
	n.send(slot, codec.AppendBye(nil))
	if got := n.r.node.Unused.Load(); got != 0 {
		t.Errorf("%d unused of one who was let in", got)
	}
	slot, _ = n.dial()
	n.r.Goes(slot, true)
	n.run(time.Minute) // it says nothing
	if got := n.r.node.Unused.Load(); got != 1 {
		t.Errorf("%d unused of one who never said HELLO", got)
	}
	slot, _ = n.dial()
	n.r.Goes(slot, false)
	n.run(time.Minute)
	if got := n.r.node.Unused.Load(); got != 1 {
		t.Errorf("%d unused, and the last had none", got)
	}
}

// The table of ids is asked at every HELLO and never told of an end.
func TestIDsThatLeaveAreForgotten(t *testing.T) {
	n := newNode(t, rigConfig{IDRate: 1})
	slot, _ := n.join()
	n.r.Closed(slot, ReasonPeerClosed)
	ids := n.r.node.IDs
	n.run(time.Minute)
	if ids.Tidy(n.now); ids.Len() != 0 {
		t.Errorf("%d ids are known a minute after the only client has left", ids.Len())
	}
}

// Ten quick returns are forgiven; then the client is told to stay away, and how long.
func TestFlappingClientIsHeldOffAndOthersAreNot(t *testing.T) {
	n := newNode(t, rigConfig{IDRate: 0.2})
	for i := range handshakes + 1 {
		_, g, slot := n.hello(codec.HelloMessage{ClientID: []byte("flapper")})
		if g.Code != 0 {
			t.Fatalf("return %d: %v", i, g.Code)
		}
		n.r.Closed(slot, ReasonPeerClosed)
	}
	_, g, _ := n.hello(codec.HelloMessage{ClientID: []byte("flapper")})
	if g.Code != codec.CodeBusy || g.Delay < 4*time.Second || g.Delay > 6*time.Second {
		t.Fatalf("%v with delay %v, want busy for about 5s", g.Code, g.Delay)
	}
	n.wantClosed(ReasonFlapping, 1)
	if _, other, _ := n.hello(codec.HelloMessage{ClientID: []byte("calm")}); other.Code != 0 {
		t.Fatalf("another client: %v", other.Code)
	}
	n.run(g.Delay + n.r.cfg.Tick)
	if _, g, _ = n.hello(codec.HelloMessage{ClientID: []byte("flapper")}); g.Code != 0 {
		t.Fatalf("after its delay: %v", g.Code)
	}
}

// The node asks the limiter of addresses, and says when to come again.
func TestAddressThatComesTooFastIsHeldOffAndOthersAreNot(t *testing.T) {
	n := newNode(t, rigConfig{AddrRate: 2})
	from := func(addr string) (codec.WelcomeMessage, codec.GoAwayMessage) {
		slot, p := n.dial()
		p.addr = netip.MustParseAddr(addr)
		n.send(slot, hello("alice"))
		return answer(t, p)
	}
	for i := range handshakes + 1 {
		if _, g := from("192.0.2.1"); g.Code != 0 {
			t.Fatalf("handshake %d: %v", i, g.Code)
		}
	}
	_, g := from("192.0.2.1")
	if g.Code != codec.CodeBusy || g.Delay <= 0 || g.Delay > time.Second/2 || g.Window <= 0 {
		t.Fatalf("%v with delay %v and window %v, want busy for half a second", g.Code, g.Delay, g.Window)
	}
	n.wantClosed(ReasonAddrLimit, 1)
	if _, other := from("192.0.2.2"); other.Code != 0 {
		t.Errorf("another address: %v", other.Code)
	}
	n.run(g.Delay + n.r.cfg.Tick)
	if _, again := from("192.0.2.1"); again.Code != 0 {
		t.Errorf("after its delay: %v", again.Code)
	}
}

// The table is kept in step by every way in which a connection ends.
func TestAddressIsFreeAgainHoweverTheSessionEnds(t *testing.T) {
	n := newNode(t, rigConfig{AddrConns: 1})
	for name, end := range map[string]func(timingwheel.ID){
		"peer closes": func(s timingwheel.ID) { n.r.Closed(s, ReasonPeerClosed) },
		"garbage":     func(s timingwheel.ID) { n.send(s, []byte("garbage")) },
		"BYE":         func(s timingwheel.ID) { n.send(s, codec.AppendBye(nil)) },
		"silence":     func(timingwheel.ID) { n.run(80 * time.Second) },
	} {
		_, g, slot := n.hello(codec.HelloMessage{ClientID: []byte("a")})
		if g.Code != 0 {
			t.Fatalf("before %s: %v", name, g.Code)
		}
		if _, g, _ = n.hello(codec.HelloMessage{ClientID: []byte("b")}); g.Code != codec.CodeBusy || g.Delay == 0 {
			t.Fatalf("second session of an address: %v", g.Code)
		}
		end(slot)
	}
	if _, g, _ := n.hello(codec.HelloMessage{ClientID: []byte("a")}); g.Code != 0 {
		t.Fatalf("after all: %v", g.Code)
	}
}

// Whoever uses a client's id elsewhere, without a token, must not lock it out.
func TestFlappingInAnothersNameDoesNotLockItOut(t *testing.T) {
	n := newNode(t, rigConfig{IDRate: 0.2})
	for range 100 {
		slot, p := n.dial()
		p.addr = netip.MustParseAddr("192.0.2.66")
		n.send(slot, hello("victim"))
		n.r.Closed(slot, ReasonPeerClosed)
	}
	if _, g, _ := n.hello(codec.HelloMessage{ClientID: []byte("victim")}); g.Code != 0 {
		t.Fatalf("the client itself, from its own address: %v", g.Code)
	}
}
